#include "runtime/build/check.hpp"

#include <gtest/gtest.h>

namespace build {
namespace {

struct Case {
  const char* text;
  const char* mistakes;  ///< one a line: PLACE MESSAGE [| HINT]
};
void PrintTo(const Case& each, std::ostream* stream) { *stream << each.text; }
class CheckTest : public ::testing::TestWithParam<Case> {};
TEST_P(CheckTest, FindsEveryMistake) {
  Dockerfile file = parse_dockerfile(GetParam().text);
  check_dockerfile(file);
  std::string found;
  for (const Mistake& mistake : file.mistakes)
    found += std::to_string(mistake.at.line) + ":" + std::to_string(mistake.at.column) + " " +
             mistake.message + (mistake.hint.empty() ? "" : " | " + mistake.hint) + "\n";
  EXPECT_EQ(found, GetParam().mistakes);
}
INSTANTIATE_TEST_SUITE_P(
    Files, CheckTest,
    ::testing::Values(
        Case{"ARG v=1\nFROM a:$v AS b\nRUN --mount=type=cache,target=/x make\nCMD [\"x\"]\n", ""},
        Case{"FROM a\nRUM x\n", "2:1 unknown instruction: RUM | did you mean RUN?\n"},
        Case{"FROM a\nCOPPY x y\nRUN --moutn=type=tmpfs x\nEXPOSE 99999\n",
             "2:1 unknown instruction: COPPY | did you mean COPY?\n"
             "3:5 unknown flag: RUN --moutn | did you mean --mount?\n"
             "4:8 '99999' is no port: PORT[-PORT][/tcp|udp|sctp], at most 65535\n"},
        Case{"RUN x\nFROM a\n",
             "1:1 no build stage in current context: RUN stands before the first FROM | only ARG "
             "may\n"},
        Case{"ARG x\n", "1:1 there is no FROM\n"}, Case{"FROM\n", "1:1 FROM needs an argument\n"},
        Case{"FROM a b\n", "1:8 FROM takes one argument or three | FROM IMAGE [AS NAME]\n"},
        Case{"FROM a AS 1x\n",
             "1:11 invalid name for a stage: '1x' | a letter, then letters, digits, '_', '.' and "
             "'-'\n"},
        Case{"FROM a\nCOPY x\n",
             "2:6 COPY needs at least two arguments | COPY SOURCE… DESTINATION\n"},
        Case{"FROM a\nCOPY --from=$x a b\n",
             "2:6 variables are not allowed in --from | make a stage instead: FROM $x AS base\n"},
        Case{"FROM a\nCOPY --chmod=9 a b\n",
             "2:6 --chmod: '9' is no mode | an octal number up to 7777, or letters such as "
             "u=rwX,go=rX\n"},
        Case{"FROM a\nCOPY --link=maybe a b\n",
             "2:6 the flag --link is true or false, not 'maybe'\n"},
        Case{"FROM a\nCOPY --chown= a b\n", "2:6 the flag --chown has an empty value\n"},
        Case{"FROM a\nCOPY --chown a b\n", "2:6 the flag --chown needs a value | --chown=VALUE\n"},
        Case{"FROM a\nCOPY --chown=1 --chown=2 a b\n", "2:16 the flag --chown is given twice\n"},
        Case{"FROM a\nCMD --x\n", "2:1 CMD needs an argument\n2:5 unknown flag: CMD --x\n"},
        Case{"FROM a\nSHELL x\n",
             "2:7 SHELL needs a JSON array of strings | write it as SHELL [\"/bin/sh\", \"-c\"]\n"},
        Case{"FROM a\nENV x\n", "2:5 it needs NAME=VALUE\n"},
        Case{"FROM a\nENV x=1 y\n", "2:5 'y' has no '=': every word must be NAME=VALUE\n"},
        Case{"FROM a\nENV x=${y^}\n", "2:7 unsupported modifier (^) in substitution\n"},
        Case{"FROM a\nSTOPSIGNAL SIGFOO\n",
             "2:12 'SIGFOO' is no signal: a name such as SIGTERM, or a number\n"},
        Case{"FROM a\nHEALTHCHECK --interval=5 CMD x\n",
             "2:26 --interval: '5' is no duration such as 30s or 1m30s\n"},
        Case{"FROM a\nHEALTHCHECK x\n",
             "2:13 unknown type 'X' of HEALTHCHECK: use NONE, or CMD and a command\n"},
        Case{"FROM a\nONBUILD FROM b\n", "2:9 FROM cannot be an ONBUILD trigger\n"},
        Case{"FROM a\nONBUILD ONBUILD RUN x\n", "2:9 ONBUILD cannot hold another ONBUILD\n"},
        Case{"FROM a\nONBUILD RUM x\n", "2:9 unknown instruction: RUM | did you mean RUN?\n"},
        Case{"FROM a\nRUN --mount=type=chache,target=/x y\n",
             "2:5 --mount: unsupported mount type 'chache'; did you mean cache?\n"},
        Case{"FROM a\nRUN --mount=target=/ y\n", "2:5 --mount: 'target' must not be /\n"},
        Case{"FROM a\nRUN --mount=type=tmpfs,target=/x,sise=1 y\n",
             "2:5 --mount: unexpected key 'sise'; did you mean size?\n"},
        Case{"FROM a\nRUN --mount=type=tmpfs,target=/x,id=1 y\n",
             "2:5 --mount: this type of mount has no key 'id'\n"},
        Case{"FROM a\nRUN --network=bridge y\n",
             "2:5 --network is default, none or host, not 'bridge'\n"},
        Case{"FROM a\nCOPY x <<EOF\ny\nEOF\n", "2:8 a heredoc cannot be the destination\n"},
        Case{"FROM a\nADD --checksum=md5:1 https://x/y /z\n",
             "2:5 --checksum must be sha256: and 64 hexadecimal digits\n"}));

}  // namespace
}  // namespace build
