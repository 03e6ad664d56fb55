#include "runtime/build/evaluate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/build/values.hpp"

namespace build {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// A stage that the instructions of `text` (without FROM) were applied to.
struct Evaluated {
  explicit Evaluated(const std::string& text, StageInput stage_input = {},
                     image::ImageConfig config = {})
      : input(std::move(stage_input)),
        file(parse_dockerfile(text)),
        state(std::move(config), input, file.escape, {}) {
    for (const Instruction& instruction : file.instructions)
      steps.push_back(state.apply(instruction));
  }
  StageInput input;
  Dockerfile file;
  StageState state;
  std::vector<Step> steps;
};

const RunStep& run_of(const Evaluated& evaluated) {
  return std::get<RunStep>(evaluated.steps.back().work);
}
const CopyStep& copy_of(const Evaluated& evaluated) {
  return std::get<CopyStep>(evaluated.steps.back().work);
}

TEST(EvaluateTest, ValuesAreThoseBeforeTheInstruction) {
  const Evaluated one("ENV a=1\nENV a=2 b=$a c='$a'\n");
  EXPECT_THAT(one.state.config().env,
              ElementsAre(HasSubstr("PATH=/usr/local/sbin"), "a=2", "b=1", "c=$a"));
  const Evaluated old("ENV a  b  c \n");
  EXPECT_THAT(old.state.config().env, ElementsAre(HasSubstr("PATH="), "a=b  c"));
}

TEST(EvaluateTest, OfArgAndEnvTheLaterLineWinsWhileBuilding) {
  StageInput input;
  input.build_args = {{"X", "given"}};
  input.global_args = {{"G", "global"}};
  const Evaluated both("ENV X=env\nARG X=default\nARG G\nARG NONE\nRUN x\n", input);
  EXPECT_THAT(run_of(both).environment, ElementsAre(HasSubstr("PATH="), "X=given", "G=global"));
  EXPECT_THAT(both.state.config().env, ElementsAre(HasSubstr("PATH="), "X=env"));
  EXPECT_EQ(both.steps.back().created_by, "RUN |3 X=given G=global NONE= /bin/sh -c x # buildkit");
  const Evaluated later("ARG Y=1\nENV Y=2\nRUN x\n");
  EXPECT_THAT(run_of(later).environment, ElementsAre(HasSubstr("PATH="), "Y=2"));
}

TEST(EvaluateTest, ProxiesAreKnownAndHidden) {
  StageInput input;
  input.proxies = {{"HTTP_PROXY", "http://p"}};
  const Evaluated run("RUN x\n", input);
  EXPECT_THAT(run_of(run).hidden, ElementsAre("HTTP_PROXY=http://p", "http_proxy=http://p"));
  EXPECT_THAT(run_of(run).environment, ElementsAre(HasSubstr("PATH=")));
}

TEST(EvaluateTest, CommandsTakeTheShell) {
  const Evaluated all("SHELL [\"/bin/bash\",\"-c\"]\nCMD x $y\nENTRYPOINT [\"e\"]\nRUN z\n");
  EXPECT_THAT(all.state.config().cmd, ElementsAre("/bin/bash", "-c", "x $y"));
  EXPECT_THAT(all.state.config().entrypoint, ElementsAre("e"));
  EXPECT_THAT(run_of(all).arguments, ElementsAre("/bin/bash", "-c", "z"));
  image::ImageConfig base;
  base.cmd = {"inherited"};
  EXPECT_TRUE(Evaluated("ENTRYPOINT e\n", {}, base).state.config().cmd.empty());
}

TEST(EvaluateTest, HeredocsAreScripts) {
  EXPECT_THAT(run_of(Evaluated("RUN <<EOF\na\nb\nEOF\n")).arguments,
              ElementsAre("/bin/sh", "-c", "a\nb\n"));
  EXPECT_THAT(run_of(Evaluated("RUN cat <<EOF\na\nEOF\n")).arguments,
              ElementsAre("/bin/sh", "-c", "cat <<EOF\na\nEOF"));
  const Evaluated script("RUN <<EOF\n#!/bin/awk\nx\nEOF\n");
  EXPECT_THAT(run_of(script).arguments, ElementsAre("/bin/sh", "-c", "/dev/pipes/EOF"));
  EXPECT_EQ(run_of(script).script, "#!/bin/awk\nx\n");
}

TEST(EvaluateTest, CopyResolvesItsDestination) {
  const Evaluated copy("WORKDIR /a\nWORKDIR b\nENV d=out\nCOPY --chown=1:2 x y/ $d/\n");
  EXPECT_THAT(copy_of(copy).sources, ElementsAre("x", "y/"));
  EXPECT_EQ(copy_of(copy).destination, "/a/b/out/");
  EXPECT_EQ(copy.steps.back().created_by, "COPY --chown=1:2 x y/ out/ # buildkit");
  EXPECT_EQ(std::get<WorkdirStep>(copy.steps[1].work).path, "/a/b");
  EXPECT_EQ(copy_of(Evaluated("COPY a .\n")).destination, "/");
  EXPECT_EQ(copy_of(Evaluated("COPY a ../../x\n")).destination, "/x");
  const Evaluated inline_file("ENV v=1\nCOPY <<F <<'G' /d/\n$v\nF\n$v\nG\n");
  ASSERT_EQ(copy_of(inline_file).files.size(), 2U);
  EXPECT_EQ(copy_of(inline_file).files[0].content, "1\n");
  EXPECT_EQ(copy_of(inline_file).files[1].content, "$v\n");
}

TEST(EvaluateTest, TheRestOfTheConfiguration) {
  const Evaluated all(
      "LABEL a=1 \"b c\"='d e'\nEXPOSE 80 90-91/UDP\nVOLUME /x [y]\nUSER u:g\nSTOPSIGNAL 9\n"
      "MAINTAINER me\nONBUILD RUN x\nHEALTHCHECK --retries=2 CMD curl x\n");
  const image::ImageConfig& config = all.state.config();
  EXPECT_EQ(config.labels.at("b c"), "d e");
  EXPECT_THAT(config.exposed_ports, ElementsAre("80/tcp", "90/udp", "91/udp"));
  EXPECT_THAT(config.volumes, ElementsAre("/x", "[y]"));
  EXPECT_EQ(config.user, "u:g");
  EXPECT_EQ(config.author, "me");
  EXPECT_THAT(config.on_build, ElementsAre("RUN x"));
  EXPECT_THAT(config.healthcheck->test, ElementsAre("CMD-SHELL", "curl x"));
  EXPECT_EQ(config.healthcheck->retries, 2);
}

TEST(EvaluateTest, HistorySaysWhatDockerSays) {
  const auto last = [](const std::string& text) { return Evaluated(text).steps.back().created_by; };
  EXPECT_EQ(last("HEALTHCHECK --interval=90s --timeout=1.5ms --retries=39 CMD [\"a\"]\n"),
            "HEALTHCHECK &{[\"CMD\" \"a\"] \"1m30s\" \"1.5ms\" \"0s\" \"0s\" '\\''}");
  EXPECT_EQ(last("HEALTHCHECK --retries=10 CMD x\n"),
            "HEALTHCHECK &{[\"CMD-SHELL\" \"x\"] \"0s\" \"0s\" \"0s\" \"0s\" '\\n'}");
  EXPECT_EQ(last("EXPOSE 80 9-10 443\n"), "EXPOSE [443/tcp 80/tcp 9/tcp 10/tcp]");
  EXPECT_EQ(last("COPY <<A b /c/\nx\nA\n"), "COPY b <<A /c/ # buildkit");
  EXPECT_EQ(last("WORKDIR /a/../b/\n"), "WORKDIR /a/../b/");
  EXPECT_EQ(last("WORKDIR a/../b/\n"), "WORKDIR /b");
}

TEST(ApplyModeTest, KnowsOctalAndLetters) {
  EXPECT_EQ(apply_mode("755", 0600, false), 0755U);
  EXPECT_EQ(apply_mode("4755", 0600, false), 04755U);
  EXPECT_EQ(apply_mode("u=rwX,go=rX", 0600, false), 0644U);
  EXPECT_EQ(apply_mode("u=rwX,go=rX", 0700, true), 0755U);
  EXPECT_EQ(apply_mode("+x", 0644, false), 0755U);
  EXPECT_EQ(apply_mode("go-r", 0644, false), 0600U);
  EXPECT_EQ(apply_mode("g=u", 0640, false), 0660U);
  EXPECT_EQ(apply_mode("u+s,+t", 0755, false), 05755U);
  EXPECT_EQ(apply_mode("u+r-x+w", 0100, false), 0600U);
  EXPECT_EQ(apply_mode("o+t", 0644, false), 0644U);
  EXPECT_EQ(apply_mode("a=rx", 07777, true), 01555U);
  EXPECT_EQ(apply_mode("00000755", 0600, false), 0755U);
  EXPECT_EQ(apply_mode("99", 0644, false), std::nullopt);
  EXPECT_EQ(apply_mode("u~x", 0644, false), std::nullopt);
  EXPECT_EQ(apply_mode("77777", 0644, false), std::nullopt);
}

TEST(RunMountTest, FillsInWhatIsNotSaid) {
  const Lookup none = [](std::string_view) { return std::nullopt; };
  EXPECT_TRUE(parse_run_mount("target=/x", none).read_only);
  EXPECT_FALSE(parse_run_mount("target=/x,rw", none).read_only);
  EXPECT_EQ(parse_run_mount("type=secret,id=a", none).target, "/run/secrets/a");
  EXPECT_EQ(parse_run_mount("type=secret,target=/x/b", none).id, "b");
  EXPECT_EQ(parse_run_mount("type=secret,id=a,env=B", none).target, "");
  EXPECT_EQ(parse_run_mount("TYPE=cache,DST=/c,SHARING=locked", none).sharing,
            RunMount::Sharing::locked);
  EXPECT_EQ(parse_run_mount("type=tmpfs,target=/x,size=2m", none).size, 2 << 20);
  EXPECT_EQ(parse_run_mount("\"target=/a,b\"", none).target, "/a,b");
}

}  // namespace
}  // namespace build
