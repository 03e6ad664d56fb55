// `build` and `up --build`: instructions, the cache, stages, failures.
#include <sys/stat.h>
#include <sys/xattr.h>

#include "tests/e2e/build_fixture.hpp"

namespace e2e {
namespace {

TEST_F(BuildTest, InstructionsBecomeAnImage) {
  write("hello.txt", "hello\n");
  const Output built = must_build(
      "FROM test\nENV COLOUR=blue\nRUN echo $COLOUR > /colour && mkdir /d && ln -s x /d/link\n"
      "COPY hello.txt /d/\nWORKDIR /d\nCMD [\"cat\", \"hello.txt\"]\n");
  EXPECT_EQ(in_image("cat /colour hello.txt; readlink link; pwd; echo $COLOUR"),
            "blue\nhello\nx\n/d\nblue\n");
  const json config = config_of(built);
  EXPECT_EQ(config["config"]["Cmd"], json({"cat", "hello.txt"}));
  EXPECT_EQ(layers_of(config), 4U);  // base, RUN, COPY, WORKDIR
  EXPECT_EQ(config["history"].back()["created_by"], "CMD [\"cat\" \"hello.txt\"]");
  EXPECT_EQ(config["history"].back()["empty_layer"], true);
  must({"rmi", "made"});
}

TEST_F(BuildTest, WhatDidNotChangeIsNotMadeAgain) {
  write("a", "1\n");
  write("b", "1\n");
  const std::string file = "FROM test\nCOPY a /a\nRUN cat /a > /c\nCOPY b /b\n";
  const Output first = must_build(file);
  EXPECT_THAT(first.err, Not(HasSubstr("CACHED")));
  const Output second = must_build(file);
  EXPECT_EQ(first.out, second.out);
  EXPECT_THAT(second.err, Not(HasSubstr("DONE 0.0s\n#3")));
  write("unread", "x");
  write("a", "1\n");  // new times, same content
  EXPECT_EQ(must_build(file + "# a comment\n").out, first.out);
  write("b", "2\n");
  const Output third = must_build(file);
  EXPECT_NE(third.out, first.out);
  EXPECT_THAT(third.err, HasSubstr("#3 CACHED"));
  EXPECT_THAT(third.err, Not(HasSubstr("#4 CACHED")));
  EXPECT_NE(must_build(file, {"--no-cache"}).err.find("#3 DONE"), std::string::npos);
  EXPECT_THAT(must_build("FROM test\nCOPY a /a\nENV x=1\nRUN cat /a > /c\n").err,
              AllOf(HasSubstr("#2 CACHED"), HasSubstr("#3 DONE")));
}

TEST_F(BuildTest, StagesThatNobodyNeedsNeverRun) {
  const std::string file =
      "FROM test AS one\nRUN echo one > /f\nFROM test AS broken\nRUN exit 7\n"
      "FROM test AS two\nCOPY --from=one /f /g\nCOPY --from=0 /f /h\n"
      "RUN --mount=from=one,target=/m cat /m/f > /i\n";
  const Output built = must_build(file);
  EXPECT_THAT(built.err, Not(HasSubstr("exit 7")));
  EXPECT_EQ(in_image("cat /g /h /i; ls -d /m 2>&1; true"),
            "one\none\none\nls: /m: No such file or directory\n");
  must_build(file, {"--target", "one"});
  EXPECT_EQ(in_image("cat /f"), "one\n");
}

TEST_F(BuildTest, AFailedStepShowsWhatItSaidAndWhere) {
  const Output output = build("FROM test\n\nRUN echo before; \\\n    exit 3\nRUN echo never\n");
  EXPECT_THAT(output, ExitsWith(1));
  EXPECT_THAT(output.err, AllOf(HasSubstr("before\n"), HasSubstr("Dockerfile:3\n"),
                                HasSubstr("   3 | >>> RUN echo before"),
                                HasSubstr("did not complete successfully: exit code: 3"),
                                Not(HasSubstr("RUN echo never\n#"))));
  expect_nothing_left();
}

TEST_F(BuildTest, MistakesAreAllReportedAndNothingRuns) {
  const Output output = build("FROM test\nRUM x\nCOPY --form=y a b\nEXPOSE 70000\n");
  EXPECT_THAT(output, ExitsWith(1));
  EXPECT_THAT(output.err, AllOf(HasSubstr("Dockerfile:2:1: error: unknown instruction: RUM"),
                                HasSubstr("did you mean RUN?"),
                                HasSubstr("Dockerfile:3:6: error: unknown flag"),
                                HasSubstr("did you mean --from?"), HasSubstr("Dockerfile:4:8")));
  EXPECT_THAT(build("FROM tset\n").err, HasSubstr("no such image: tset; did you mean test"));
  write("file", "x");
  EXPECT_THAT(build("FROM test\nCOPY fiel /\n").err,
              HasSubstr("\"/fiel\": not found; did you mean file?"));
}

TEST_F(BuildTest, ARunHasWhatDockersHas) {
  const Output built = must_build(
      "FROM test\nARG WHO=arg\nUSER app\nRUN { id -u; echo $HOME; hostname; umask; echo $WHO; "
      "cat /proc/self/status | grep CapBnd; cat /etc/hosts; readlink /proc/self/fd/0; "
      "ls /sys/class/net; } > /tmp/facts\nUSER 0\nRUN true\n");
  const std::string facts = in_image("cat /tmp/facts");
  EXPECT_THAT(facts, HasSubstr("1000\n"));
  EXPECT_THAT(facts, HasSubstr("buildkitsandbox\n0022\narg\n"));
  EXPECT_THAT(facts, HasSubstr("00000000a80425fb"));
  EXPECT_THAT(facts, HasSubstr("127.0.0.1\tlocalhost buildkitsandbox"));
  EXPECT_THAT(facts, HasSubstr("/dev/null"));
  EXPECT_THAT(facts, HasSubstr("eth0"));
  // Nothing of the mounts is in the image: RUN true is the empty archive.
  EXPECT_EQ(config_of(built)["rootfs"]["diff_ids"].back(),
            "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef");
}

TEST_F(BuildTest, ARunHasTheNetworkUnlessToldOtherwise) {
  must_build(
      "FROM test\nRUN ls /sys/class/net > /net; cat /etc/resolv.conf > /dns\n"
      "RUN --network=none ls /sys/class/net > /none\n");
  EXPECT_EQ(in_image("cat /none"), "lo\n");
  EXPECT_EQ(in_image("cat /net"), "eth0\nlo\n");
  EXPECT_THAT(in_image("cat /dns"), HasSubstr("nameserver 127.0.0.11"));
  EXPECT_THAT(build("FROM test\nRUN --network=host true\n").err,
              HasSubstr("network.host is not allowed"));
  must_build("FROM test\nRUN --network=host true\n", {"--allow", "network.host"});
}

TEST_F(BuildTest, MountsAreThereAndLeaveNothing) {
  write("ctx/data", "data\n");
  write("key", "secret\n");
  write(".dockerignore", "ctx/hidden\n");
  write("ctx/hidden", "x");
  const std::string file =
      "FROM test\n"
      "RUN --mount=type=cache,target=/cache echo x >> /cache/n && wc -l < /cache/n > /count\n"
      "RUN --mount=target=/ctx,source=ctx ls /ctx > /listed; touch /ctx/x && exit 1; true\n"
      "RUN --mount=target=/ctx,rw touch /ctx/written && ls /ctx > /all\n"
      "RUN --mount=type=secret,id=key cat /run/secrets/key | wc -c > /size\n"
      "RUN --mount=type=secret,id=key,env=KEY test \"$KEY\" = \"$(printf 'secret\\n')\" || echo no "
      "> /no\n"
      "RUN --mount=type=secret,id=absent ls /run/secrets/absent 2>/dev/null || echo none > "
      "/absent\n"
      "RUN --mount=type=tmpfs,target=/t,size=1m df /t | grep -c /t > /tmpfs\n";
  const std::string key = "id=key,src=" + directory() + "/key";
  must_build(file, {"--secret", key});
  EXPECT_EQ(in_image("cat /count /listed /size /absent /tmpfs; ls -d /cache /ctx /t /run/secrets "
                     "2>/dev/null; true"),
            "1\ndata\n7\nnone\n1\n");
  EXPECT_THAT(in_image("cat /all"), HasSubstr("written"));
  must_build(file, {"--secret", key, "--no-cache"});
  EXPECT_EQ(in_image("cat /count"), "2\n");
  EXPECT_THAT(build("FROM test\nRUN --mount=type=secret,id=x,required true\n").err,
              HasSubstr("secret x: not found"));
}

TEST_F(BuildTest, CopyKeepsWhatItShall) {
  write("tree/one", "1\n", 0640);
  write("tree/sub/two", "2\n", 0755);
  write("tree/sub/skip.log", "3\n");
  write("tree/other.txt", "4\n");
  write(".dockerignore", "**/*.log\n");
  ASSERT_EQ(::link((directory() + "/tree/one").c_str(), (directory() + "/tree/same").c_str()), 0);
  must_build(
      "FROM test\nCOPY tree /t/\nCOPY --chown=1000:1000 --chmod=u=rwX,go= tree/sub /s/\n"
      "COPY tree/*.txt /w/\nCOPY --parents tree/./sub/two /p/\nCOPY --exclude=sub tree /e/\n"
      "COPY <<EOF <<'RAW' /inline/\n$PATH\nEOF\n$PATH\nRAW\n");
  EXPECT_EQ(in_image("stat -c '%a %u %n' /t /t/one /t/sub/two /s /s/two /w/other.txt /p/sub/two"),
            "755 0 /t\n640 0 /t/one\n755 0 /t/sub/two\n755 1000 /s\n700 1000 /s/two\n"
            "644 0 /w/other.txt\n755 0 /p/sub/two\n");
  EXPECT_EQ(
      in_image("ls /t /t/sub /e; stat -c %h /t/one; cat /inline/RAW; grep -c /bin /inline/EOF"),
      "/e:\none\nother.txt\nsame\n\n/t:\none\nother.txt\nsame\nsub\n\n/t/sub:\ntwo\n2\n$PATH\n1\n");
}

TEST_F(BuildTest, AddUnpacksArchives) {
  write("in/x/file", "x\n");
  CommandOptions options;
  options.environment = {{"PATH", "/usr/bin:/bin"}};
  ASSERT_THAT(support::run({"/usr/bin/tar", "-C", directory() + "/in", "--owner=7", "--group=8",
                            "-czf", directory() + "/a.tgz", "."},
                           options),
              ExitsWith(0));
  write("fake.tar.gz", "no archive\n");
  must_build(
      "FROM test\nADD a.tgz /d\nADD --chown=9 a.tgz /c\nADD fake.tar.gz /\nCOPY a.tgz /k/\n"
      "ADD --unpack=false a.tgz /u/\n");
  EXPECT_EQ(in_image("cat /d/x/file /fake.tar.gz; stat -c '%u %g' /d/x/file /c/x/file; ls /k /u"),
            "x\nno archive\n7 8\n9 9\n/k:\na.tgz\n\n/u:\na.tgz\n");
}

TEST_F(BuildTest, NothingOutsideIsReadOrWritten) {
  write("outside/victim", "old\n");
  ASSERT_EQ(::mkdir((directory() + "/ctx").c_str(), 0755), 0);
  ASSERT_EQ(
      ::symlink((directory() + "/outside/victim").c_str(), (directory() + "/ctx/link").c_str()), 0);
  ASSERT_EQ(::symlink("../outside", (directory() + "/ctx/up").c_str()), 0);
  write("ctx/file", "new\n");
  const auto run = [&](const std::string& text) {
    write("ctx/Dockerfile", text);
    return stack({"build", "--progress", "plain", "-t", "made", directory() + "/ctx"});
  };
  EXPECT_THAT(run("FROM test\nCOPY link /x\n").err, HasSubstr("\"/link\": not found"));
  EXPECT_THAT(run("FROM test\nCOPY up/victim /x\n").err, HasSubstr("not found"));
  EXPECT_THAT(run("FROM test\nCOPY ../outside/victim /x\n").err, HasSubstr("not found"));
  EXPECT_THAT(run("FROM test\nRUN --mount=target=/m,source=up ls /m\n").err,
              HasSubstr("not found"));
  // A link in the image leads into the image.
  EXPECT_THAT(
      run("FROM test\nRUN ln -s " + directory() + "/outside /out && ln -s ../../../../../../.." +
          directory() + "/outside /far\nCOPY file /out/victim\nCOPY file /far/victim\n"),
      ExitsWith(0));
  EXPECT_EQ(os::read_file(directory() + "/outside/victim"), "old\n");
  EXPECT_EQ(in_image("cat " + directory() + "/outside/victim"), "new\n");
}

TEST_F(BuildTest, OnbuildRunsInTheChild) {
  write("app", "app\n");
  must_build("FROM test\nONBUILD COPY app /app\nONBUILD RUN cp /app /copied\n", {}, "parent");
  EXPECT_NE(in_image("test -e /app || echo no", "parent"), "");
  const Output child = must_build("FROM parent\nRUN test -e /copied\n");
  EXPECT_EQ(in_image("cat /copied"), "app\n");
  EXPECT_FALSE(config_of(child)["config"].contains("OnBuild"));
}

TEST_F(BuildTest, TheSameContextGivesTheSameDigest) {
  write("f", "x\n");
  environment()["SOURCE_DATE_EPOCH"] = "1700000000";
  const std::string file = "FROM test\nCOPY f /d/f\nWORKDIR /w\nRUN echo x > /made\n";
  const Output first = must_build(file);
  write("f", "x\n");
  const Output second = must_build(file, {"--no-cache"});
  EXPECT_EQ(first.out, second.out);
  EXPECT_EQ(in_image("stat -c %Y /d/f /w /made"), "1700000000\n1700000000\n1700000000\n");
}

TEST_F(BuildTest, ACacheTravelsInADirectory) {
  const std::string file = "FROM test\nRUN date > /made; mkdir -p /a/b && rm -r /seed/inner\n";
  const std::string cache = directory() + "/cache";
  const Output first = must_build(file, {"--cache-to", "type=local,dest=" + cache});
  must({"rmi", "made"});
  for (const std::string& key : os::list_directory(data_directory() + "/images/cache"))
    ASSERT_EQ(::unlink((data_directory() + "/images/cache/" + key).c_str()), 0);
  const Output second = must_build(file, {"--cache-from", "type=local,src=" + cache});
  EXPECT_THAT(second.err, HasSubstr("#3 CACHED"));
  EXPECT_EQ(second.out, first.out);
  EXPECT_EQ(in_image("ls -d /a/b /seed/inner 2>/dev/null; true"), "/a/b\n");
  EXPECT_THAT(build(file, {"--cache-from", "type=gha,scope=x"}).err, HasSubstr("ignored"));
}

TEST_F(BuildTest, DeletionsBecomeWhiteouts) {
  must_build(
      "FROM test\nRUN mkdir /d && touch /d/a /d/b\nRUN rm /d/a && rm -r /seed && mkdir /seed\n");
  EXPECT_EQ(in_image("ls /d; ls /seed | wc -l"), "b\n0\n");
  // The archive says the same as the directory: what is loaded from it is the same image.
  const Output again = must_build("FROM made\nRUN ls /d /seed > /listed\n", {}, "again");
  EXPECT_EQ(in_image("cat /listed", "again"), "/d:\nb\n\n/seed:\n");
}

TEST_F(BuildTest, UpBuildsWhatIsMissing) {
  write("Dockerfile",
        "FROM test\nARG who=nobody\nRUN echo $who > /who\nCMD [\"probe\", \"serve\"]\n");
  manifest("services: {a: {build: {context: ., args: {who: me}}}}\n");
  up();
  EXPECT_EQ(ask("a", {"cat", "/who"}), "me\n");
  manifest("services: {a: {build: {context: ., args: {who: you}}}}\n");
  up({"--build"});
  EXPECT_EQ(ask("a", {"cat", "/who"}), "you\n");
  manifest("services: {a: {build: {context: ., cache_from: ['type=gha']}}}\n");
  EXPECT_THAT(stack({"build"}).err, AllOf(HasSubstr("service \\\"a\\\""), HasSubstr("ignored")));
  const json images = json::parse(must({"images", "--format", "json"}));
  EXPECT_EQ(images[0]["Repository"], project() + "-a");
}

TEST_F(BuildTest, SeveralBuildsAtOnceShareTheStore) {
  environment()["SOURCE_DATE_EPOCH"] = "1700000000";
  write("f", "x\n");
  write("Dockerfile", "FROM test\nCOPY f /f\nRUN mkdir /d && echo x > /d/made\nWORKDIR /w\n");
  std::vector<std::unique_ptr<support::Command>> builds;
  for (int i = 0; i < 4; ++i)
    builds.push_back(std::make_unique<support::Command>(
        start({"build", "--no-cache", "-t", "made" + std::to_string(i), directory()})));
  std::set<std::string> ids;
  for (const auto& build : builds) {
    const Output output = build->wait();
    EXPECT_THAT(output, ExitsWith(0));
    ids.insert(output.out);
  }
  EXPECT_EQ(ids.size(), 1U);
  expect_nothing_left();
  EXPECT_THAT(must({"doctor"}), HasSubstr("all is well"));
}

TEST_F(BuildTest, AnInterruptedBuildLeavesNothing) {
  write("Dockerfile", "FROM test\nRUN echo started && sleep 600\n");
  auto command = start({"build", "--progress", "plain", "-t", "made", directory()});
  ASSERT_TRUE(
      support::wait_until([&] { return command.err().find(" started") != std::string::npos; }));
  command.send_signal(SIGINT);
  EXPECT_THAT(command.wait(), ExitsWith(130));
  expect_nothing_left();
}

TEST_F(BuildTest, AKilledBuildIsSweptByTheNext) {
  write("Dockerfile", "FROM test\nRUN echo started && sleep 600\n");
  auto command = start({"build", "--progress", "plain", "-t", "made", directory()});
  ASSERT_TRUE(
      support::wait_until([&] { return command.err().find(" started") != std::string::npos; }));
  command.send_signal(SIGKILL);
  command.wait();
  must_build("FROM test\nRUN true\n");
  expect_nothing_left();
}

}  // namespace
}  // namespace e2e
