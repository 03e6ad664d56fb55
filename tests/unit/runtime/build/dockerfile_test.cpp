#include "runtime/build/dockerfile.hpp"

#include <gtest/gtest.h>

namespace build {
namespace {

struct Case {
  const char* name;
  const char* text;
  const char* tree;
};

void PrintTo(const Case& each, std::ostream* stream) { *stream << each.name; }

class DockerfileTest : public ::testing::TestWithParam<Case> {};

TEST_P(DockerfileTest, ReadsTheTree) {
  const Dockerfile file = parse_dockerfile(GetParam().text);
  EXPECT_EQ(dump(file), GetParam().tree);
  EXPECT_TRUE(file.mistakes.empty()) << render(file.mistakes.front(), "Dockerfile", file.text);
}

INSTANTIATE_TEST_SUITE_P(
    Language, DockerfileTest,
    ::testing::Values(
        Case{"one", "FROM busybox", "(from \"busybox\")\n"},
        Case{"case", "from Busybox\nrUn true", "(from \"Busybox\")\n(run \"true\")\n"},
        Case{"carriage returns", "FROM a\r\nRUN b\r\n", "(from \"a\")\n(run \"b\")\n"},
        Case{"byte order mark",
             "\xEF\xBB\xBF"
             "FROM a\n",
             "(from \"a\")\n"},
        Case{"comments", "# hello\nFROM a\n  # indented\nRUN echo # kept\n",
             "(from \"a\")\n(run \"echo # kept\")\n"},
        Case{"continuation", "FROM a\nRUN one && \\\n    two\n",
             "(from \"a\")\n(run \"one &&     two\")\n"},
        Case{"blanks after the escape", "FROM a\nRUN one \\  \t\n two\n",
             "(from \"a\")\n(run \"one  two\")\n"},
        Case{"comment between", "FROM a\nRUN one \\\n# no\n  # neither\ntwo\n",
             "(from \"a\")\n(run \"one two\")\n"},
        Case{"escaped escape ends", "FROM a\nRUN one \\\\\nRUN two\n",
             "(from \"a\")\n(run \"one \\\\\\\\\")\n(run \"two\")\n"},
        Case{"escape alone", "FROM a\nRUN \\\ntrue\n", "(from \"a\")\n(run \"true\")\n"},
        Case{"end of file ends", "FROM a\nRUN one \\", "(from \"a\")\n(run \"one\")\n"},
        Case{"escape directive", "# escape=`\nFROM a\nRUN one `\n two \\\n",
             "(from \"a\")\n(run \"one  two \\\\\")\n"},
        Case{"directive after a comment is none", "# x\n# escape=`\nFROM a\nRUN one \\\n two\n",
             "(from \"a\")\n(run \"one  two\")\n"},
        Case{"flags", "FROM a\nCOPY --from=b --chown=\"1:2\" x y\n",
             "(from \"a\")\n(copy \"--from=b\" \"--chown=1:2\" \"x y\")\n"},
        Case{"flags end at a word", "FROM a\nRUN echo --x\n", "(from \"a\")\n(run \"echo --x\")\n"},
        Case{"flags end at two dashes", "FROM a\nRUN --network=none -- --x\n",
             "(from \"a\")\n(run \"--network=none\" \"--x\")\n"},
        Case{"flag with escape", "FROM a\nCOPY --from=a\\ b x y\n",
             "(from \"a\")\n(copy \"--from=a b\" \"x y\")\n"},
        Case{"json", "FROM a\nCMD [\"x\", \"y z\"]\n", "(from \"a\")\n(cmd \"x\" \"y z\")\n"},
        Case{"json over lines", "FROM a\nCMD [\"x\", \\\n \"y\"]\n",
             "(from \"a\")\n(cmd \"x\" \"y\")\n"},
        Case{"single quotes are no json", "FROM a\nCMD ['x']\n", "(from \"a\")\n(cmd \"['x']\")\n"},
        Case{"env takes no json", "FROM a\nENV a=[1]\n", "(from \"a\")\n(env \"a=[1]\")\n"},
        Case{"heredoc", "FROM a\nRUN <<EOF\necho 1\n  echo 2\nEOF\n",
             "(from \"a\")\n(run \"<<EOF\" <<EOF \"echo 1\\n  echo 2\\n\")\n"},
        Case{"heredoc keeps comments", "FROM a\nRUN <<EOF\n# x\n\nEOF\nUSER b\n",
             "(from \"a\")\n(run \"<<EOF\" <<EOF \"# x\\n\\n\")\n(user \"b\")\n"},
        Case{"quoted heredoc", "FROM a\nCOPY <<\"E\" /x\n$y\nE\n",
             "(from \"a\")\n(copy \"<<\\\"E\\\" /x\" <<'E \"$y\\n\")\n"},
        Case{"tabs", "FROM a\nRUN <<-EOF\n\t\tx\n\tEOF\n",
             "(from \"a\")\n(run \"<<-EOF\" <<EOF \"x\\n\")\n"},
        Case{"two heredocs", "FROM a\nCOPY <<A <<B /d/\n1\nA\n2\nB\n",
             "(from \"a\")\n(copy \"<<A <<B /d/\" <<A \"1\\n\" <<B \"2\\n\")\n"},
        Case{"heredoc with descriptor", "FROM a\nRUN 3<<EOF cat\nx\nEOF\n",
             "(from \"a\")\n(run \"3<<EOF cat\" <<EOF \"x\\n\")\n"},
        Case{"no heredoc inside quotes", "FROM a\nRUN echo \"<<EOF\"\n",
             "(from \"a\")\n(run \"echo \\\"<<EOF\\\"\")\n"},
        Case{"no heredoc inside a word", "FROM a\nRUN cat<<<x\n",
             "(from \"a\")\n(run \"cat<<<x\")\n"},
        Case{"onbuild heredoc", "FROM a\nONBUILD RUN <<EOF\nx\nEOF\n",
             "(from \"a\")\n(onbuild \"RUN <<EOF\" <<EOF \"x\\n\")\n"},
        Case{"healthcheck", "FROM a\nHEALTHCHECK --interval=5s CMD x\n",
             "(from \"a\")\n(healthcheck \"--interval=5s\" \"CMD x\")\n"}));

std::vector<std::string> mistakes_of(const std::string& text) {
  std::vector<std::string> messages;
  for (const Mistake& mistake : parse_dockerfile(text).mistakes)
    messages.push_back(std::to_string(mistake.at.line) + ":" + std::to_string(mistake.at.column) +
                       " " + mistake.message);
  return messages;
}

TEST(DockerfileMistakesTest, AreAllReportedWithTheirPlaces) {
  EXPECT_EQ(mistakes_of(""), std::vector<std::string>{"0:0 the file holds no instructions"});
  EXPECT_EQ(mistakes_of("# only\n\n"),
            std::vector<std::string>{"0:0 the file holds no instructions"});
  EXPECT_EQ(mistakes_of("# escape=x\nFROM a"),
            std::vector<std::string>{"1:3 the escape character 'x' is invalid"});
  EXPECT_EQ(mistakes_of("# escape=`\n#escape=`\nFROM a"),
            std::vector<std::string>{"2:2 the directive 'escape' is given twice"});
  EXPECT_EQ(mistakes_of("FROM a\nCMD [1]\nRUN  cat <<X\ny\n"),
            (std::vector<std::string>{"2:5 the JSON array may hold only strings",
                                      "3:10 the heredoc 'X' has no end"}));
}

TEST(DockerfileMistakesTest, PlacesPointIntoContinuedLines) {
  const Dockerfile file = parse_dockerfile("FROM a\nENV x=1 \\\n    y\n");
  ASSERT_EQ(file.instructions.size(), 2U);
  const PositionedText& rest = file.instructions[1].rest;
  EXPECT_EQ(rest.at(0), (Position{2, 5}));
  EXPECT_EQ(rest.at(rest.text().find('y')), (Position{3, 5}));
}

TEST(RenderTest, ShowsTheLineAndTheHint) {
  EXPECT_EQ(render({{2, 5}, "wrong", "do better"}, "Dockerfile", "FROM a\nRUN b\n"),
            "Dockerfile:2:5: error: wrong\n  2 | RUN b\n    |     ^\n  do better\n");
  EXPECT_EQ(excerpt("a\nb\nc\nd\ne\nf\n", 3, 4),
            "   1 |     a\n   2 |     b\n   3 | >>> c\n   4 | >>> d\n   5 |     e\n   6 |     f\n");
}

}  // namespace
}  // namespace build
