// Builds whose files come from elsewhere: tars and Dockerfiles on standard input, in files and at
// URLs, and git repositories, as context, as named context and as source of ADD.
#include <sys/socket.h>
#include <sys/un.h>

#include <csignal>

#include "tests/e2e/build_fixture.hpp"
#include "tests/support/git_server.hpp"
#include "tests/support/http_server.hpp"
#include "tests/support/tar_builder.hpp"

namespace e2e {
namespace {

using support::GitServer;
using support::ServedAnswer;
using support::ServedRequest;
using support::TarBuilder;

class BuildContextsTest : public BuildTest {
 protected:
  /// `stack build -t made ARGUMENTS…`
  Output build_of(std::vector<std::string> arguments, CommandOptions options = {}) {
    arguments.insert(arguments.begin(), {"build", "--progress", "plain", "-t", "made"});
    return stack(arguments, std::move(options));
  }
  CommandOptions with_input(const std::string& text) {
    write("input", text);
    CommandOptions options;
    options.input = directory() + "/input";
    return options;
  }
  std::string gzip(const std::string& text) {
    CommandOptions options = with_input(text);
    return support::run({"/bin/gzip", "-c"}, options).out;
  }
};

const char* const kDockerfile = "FROM test\nCOPY . /all\n";

TEST_F(BuildContextsTest, ATarOnStandardInput) {
  const std::string tar = TarBuilder()
                              .file("Dockerfile", kDockerfile)
                              .directory("d", 0750)
                              .file("d/file", "in the tar\n", 0640)
                              .add({.name = "owned", .uid = 1234, .gid = 5})
                              .file(".dockerignore", "d\n")
                              .symlink("link", "d/file")
                              .finish();
  for (const std::string& text : {tar, gzip(tar)}) {
    ASSERT_THAT(build_of({"-"}, with_input(text)), ExitsWith(0));
    EXPECT_EQ(in_image("cat /all/d/file /all/link; stat -c '%a %u:%g' /all/d /all/owned"),
              "in the tar\nin the tar\n750 0:0\n644 1234:5\n");
    must({"rmi", "made"});
  }
  const std::string elsewhere =
      TarBuilder().file("sub/other", "FROM test\nCOPY a /b\n").file("a", "a\n").finish();
  ASSERT_THAT(build_of({"-f", "sub/other", "-"}, with_input(elsewhere)), ExitsWith(0));
  EXPECT_EQ(in_image("cat /b"), "a\n");
  const Output missing = build_of({"-f", "none", "-"}, with_input(elsewhere));
  EXPECT_THAT(missing, ExitsWith(1));
  EXPECT_THAT(missing.err, HasSubstr("no file 'none' in the build context"));
}

TEST_F(BuildContextsTest, ADockerfileOnStandardInput) {
  ASSERT_THAT(build_of({"-"}, with_input("FROM test\nRUN echo alone > /f\n")), ExitsWith(0));
  EXPECT_EQ(in_image("cat /f"), "alone\n");
  EXPECT_THAT(build_of({"-"}, with_input("FROM test\nCOPY a /\n")).err, HasSubstr("not found"));
  const Output neither = build_of({"-"}, with_input(std::string("\1\0\2", 3)));
  EXPECT_THAT(neither, ExitsWith(1));
  EXPECT_THAT(neither.err, HasSubstr("neither a tar nor a Dockerfile"));
  EXPECT_THAT(build_of({"-f", "-", "-"}, with_input("FROM test\n")), ExitsWith(2));
}

TEST_F(BuildContextsTest, InputThatDoesNotComeCanBeLeft) {
  CommandOptions options;
  options.open_input = true;
  Command command = start({"build", "--progress", "plain", "-t", "made", "-"}, options);
  ASSERT_TRUE(
      wait_until([&] { return command.err().find("standard input") != std::string::npos; }));
  command.send_signal(SIGINT);
  EXPECT_THAT(command.wait(), ExitsWith(130));
}

TEST_F(BuildContextsTest, ATarInAFile) {
  write("context.tar", TarBuilder().file("Dockerfile", kDockerfile).file("f", "x\n").finish());
  ASSERT_THAT(build_of({directory() + "/context.tar"}), ExitsWith(0));
  EXPECT_EQ(in_image("cat /all/f"), "x\n");
  write("more.tar", TarBuilder().file("g", "y\n").finish());
  must_build("FROM test\nCOPY --from=more g /g\n",
             {"--build-context", "more=" + directory() + "/more.tar"});
  EXPECT_EQ(in_image("cat /g"), "y\n");
}

TEST_F(BuildContextsTest, AHostileTarStaysInside) {
  const std::vector<std::pair<std::string, TarBuilder>> rows{
      {"../escaped", TarBuilder().file("Dockerfile", kDockerfile).file("../escaped", "x")},
      {"up/escaped",
       TarBuilder().file("Dockerfile", kDockerfile).symlink("up", "..").file("up/escaped", "x")}};
  for (const auto& [entry, tar] : rows) {
    build_of({"-"}, with_input(tar.finish()));
    EXPECT_THAT(os::list_directory(data_directory() + "/images"), Not(Contains("escaped")));
    EXPECT_THAT(os::list_directory(data_directory() + "/images/tmp"), IsEmpty());
  }
  const Output refused = build_of({"-"}, with_input(rows[0].second.finish()));
  EXPECT_THAT(refused, ExitsWith(1));
  EXPECT_THAT(refused.err, HasSubstr("'../escaped'"));
  // A link in the tar does not lead COPY to the files of this machine.
  write("secret", "of the host\n");
  const std::string tar = TarBuilder()
                              .file("Dockerfile", "FROM test\nCOPY link /got\n")
                              .symlink("link", directory() + "/secret")
                              .finish();
  const Output linked = build_of({"-"}, with_input(tar));
  EXPECT_THAT(linked, ExitsWith(1));
  EXPECT_THAT(linked.err, HasSubstr("not found"));
}

TEST_F(BuildContextsTest, TarsAndDockerfilesAtUrls) {
  const std::string tar =
      TarBuilder().file("Dockerfile", kDockerfile).file("f", "from afar\n").finish();
  support::HttpServer server([&](const ServedRequest& request) -> ServedAnswer {
    if (request.path == "/context.tar") return {.body = tar};
    if (request.path == "/Dockerfile") return {.body = "FROM test\nRUN echo far > /f\n"};
    return {.status = 404};
  });
  ASSERT_THAT(build_of({server.url() + "/context.tar"}), ExitsWith(0));
  EXPECT_EQ(in_image("cat /all/f"), "from afar\n");
  ASSERT_THAT(build_of({server.url() + "/Dockerfile"}), ExitsWith(0));
  EXPECT_EQ(in_image("cat /f"), "far\n");
  const Output none = build_of({server.url() + "/none"});
  EXPECT_THAT(none, ExitsWith(1));
  EXPECT_THAT(none.err, AllOf(HasSubstr("/none"), HasSubstr("404")));
  must_build("FROM test\nCOPY --from=more f /g\n",
             {"--build-context", "more=" + server.url() + "/context.tar"});
  EXPECT_EQ(in_image("cat /g"), "from afar\n");
}

class BuildGitTest : public BuildContextsTest {
 protected:
  void SetUp() override {
    BuildContextsTest::SetUp();
    server_.create("r");
    server_.write("r", "Dockerfile", kDockerfile);
    server_.write("r", ".dockerignore", "f\n");
    server_.write("r", "f", "one\n", 0600);
    server_.write("r", "run", "#!/bin/sh\n", 0700);
    server_.write("r", "d/Dockerfile", "FROM test\nCOPY . /sub\n");
    server_.write("r", "d/g", "below\n");
    first_ = server_.commit("r");
    server_.git("r", {"tag", "--annotate", "--message", "m", "v1"});
    server_.git("r", {"checkout", "--quiet", "-b", "other/branch"});
    server_.write("r", "f", "other\n");
    other_ = server_.commit("r");
    server_.git("r", {"checkout", "--quiet", "main"});
    server_.write("r", "f", "two\n");
    second_ = server_.commit("r");
  }
  int fetches() const { return server_.server().count("POST", "git-upload-pack"); }

  GitServer server_;
  std::string first_;
  std::string second_;
  std::string other_;
};

TEST_F(BuildGitTest, ARepositoryIsAContext) {
  const std::string url = server_.url("r");
  const std::vector<std::pair<std::string, std::string>> rows{{"", "two\n"},
                                                              {"#main", "two\n"},
                                                              {"#v1", "one\n"},
                                                              {"#other/branch", "other\n"},
                                                              {"#refs/heads/main", "two\n"},
                                                              {"#" + first_, "one\n"},
                                                              {"?tag=v1", "one\n"},
                                                              {"?branch=other/branch", "other\n"}};
  for (const auto& [ref, content] : rows) {
    ASSERT_THAT(build_of({url + ref}), ExitsWith(0)) << ref;
    EXPECT_EQ(in_image("cat /all/f"), content) << ref;
  }
  EXPECT_EQ(in_image("cd /all && ls -A && stat -c '%a %u:%g' f run d"),
            ".dockerignore\nDockerfile\nd\nf\nrun\n644 0:0\n755 0:0\n755 0:0\n")
      << "no .git, and .dockerignore is for directories";
  ASSERT_THAT(build_of({url + "#v1:d"}), ExitsWith(0));
  EXPECT_EQ(in_image("ls -A /sub; cat /sub/g"), "Dockerfile\ng\nbelow\n");
  EXPECT_THAT(build_of({url + "#v1:d"}).err, HasSubstr("CACHED"));
  ASSERT_THAT(build_of({"-f", "d/Dockerfile", url}), ExitsWith(0));
  EXPECT_EQ(in_image("cat /sub/f"), "two\n");
  ASSERT_THAT(build_of({"--build-arg", "BUILDKIT_CONTEXT_KEEP_GIT_DIR=1", url}), ExitsWith(0));
  EXPECT_EQ(in_image("cat /all/.git/HEAD"), second_ + "\n");
}

TEST_F(BuildGitTest, TheTimeOfTheCommitMakesBuildsTheSame) {
  const std::string time = server_.git("r", {"show", "--no-patch", "--format=%ct", second_});
  const std::vector<std::string> arguments{"--no-cache", "--build-arg", "SOURCE_DATE_EPOCH=context",
                                           server_.url("r")};
  const Output first = build_of(arguments);
  ASSERT_THAT(first, ExitsWith(0));
  EXPECT_EQ(in_image("stat -c %Y /all/f"), time + "\n");
  EXPECT_EQ(build_of(arguments).out, first.out);
  EXPECT_THAT(build("FROM test\n", {"--build-arg", "SOURCE_DATE_EPOCH=context"}).err,
              HasSubstr("no git repository"));
}

TEST_F(BuildGitTest, ManifestsNameRepositories) {
  manifest("services:\n  a:\n    image: made\n    build:\n      context: " + server_.url("r") +
           "#main\n      dockerfile_inline: |\n        FROM test\n        COPY f /f\n" +
           "        COPY --from=more d/g /g\n      additional_contexts:\n        more: " +
           server_.url("r") + "#v1\n");
  must({"build"});
  EXPECT_EQ(in_image("cat /f /g"), "two\nbelow\n");
  manifest("services: {a: {image: made, build: {context: '" + server_.url("r") +
           "#:d', dockerfile: Dockerfile}}}\n");
  must({"build", "a"});
  EXPECT_EQ(in_image("cat /sub/g"), "below\n");
}

TEST_F(BuildGitTest, AddTakesRepositories) {
  const std::string url = server_.url("r");
  const std::string file = "FROM test\nADD --chown=7:8 " + url + " /r\nADD --keep-git-dir=true " +
                           url + "#v1 /k\nADD --checksum=" + second_ + " " + url + "#main:d /d/\n" +
                           "ADD --exclude=f " + url + "#" + first_ + " /e/\n";
  must_build(file);
  EXPECT_EQ(in_image("cat /r/f /k/f /k/.git/HEAD; ls -A /r /d /e; stat -c '%u:%g' /r/f"),
            "two\none\n" + first_ +
                "\n/d:\nDockerfile\ng\n\n/e:\n.dockerignore\nDockerfile\nd\nrun\n\n/r:\n"
                ".dockerignore\nDockerfile\nd\nf\nrun\n7:8\n");
  // What was copied before is not fetched again, for the commit alone counts.
  const int before = fetches();
  const Output again = must_build(file);
  EXPECT_THAT(again.err, Not(ContainsRegex("\\[.*ADD.*\\n.*DONE")));
  EXPECT_THAT(again.err, HasSubstr("CACHED"));
  const int asked = fetches() - before;
  EXPECT_LE(asked, 3) << "only the branches and tags were asked for";
  server_.write("r", "f", "three\n");
  server_.commit("r");
  EXPECT_THAT(build(file).err, HasSubstr("the checksum says " + second_));
  must_build("FROM test\nADD " + url + " /r\n");
  EXPECT_EQ(in_image("cat /r/f"), "three\n");
}

TEST_F(BuildGitTest, WhatIsNotThereIsNamed) {
  const std::string url = server_.url("r");
  const std::vector<std::pair<std::string, std::string>> rows{
      {url + "#none", "has no branch or tag 'none'"},
      {url + "#main:none", "has no directory 'none'"},
      {url + "#main:f", "has no directory 'f'"},
      {url + "#" + std::string(40, 'a'), "has no commit " + std::string(40, 'a')},
      {url + "?checksum=" + std::string(40, 'a'), "the checksum says"},
      {url + "#--upload-pack=x", "cannot be a branch"},
      {server_.url("none"), "/none.git"}};
  for (const auto& [context, why] : rows) {
    const Output output = build_of({context});
    EXPECT_THAT(output, ExitsWith(1)) << context;
    EXPECT_THAT(output.err, HasSubstr(why)) << context;
  }
  EXPECT_THAT(os::list_directory(data_directory() + "/images/tmp"), IsEmpty());
}

TEST_F(BuildGitTest, AHostileRepositoryStaysInside) {
  write("outside/victim", "of the host\n");
  server_.create("h");
  server_.write("h", "Dockerfile", "FROM test\nCOPY link/victim /got\n");
  server_.git("h", {"config", "core.symlinks", "true"});
  ASSERT_EQ(
      ::symlink((directory() + "/outside").c_str(), (server_.working_tree("h") + "/link").c_str()),
      0);
  server_.commit("h");
  const Output copied = build_of({server_.url("h")});
  EXPECT_THAT(copied, ExitsWith(1));
  EXPECT_THAT(copied.err, HasSubstr("not found"));
  EXPECT_THAT(build_of({server_.url("h") + "#:link"}).err, HasSubstr("has no directory 'link'"));
  // Submodules lead to other servers, never to this machine.
  server_.write(
      "h", ".gitmodules",
      "[submodule \"m\"]\n\tpath = m\n\turl = file://" + server_.working_tree("r") + "\n");
  server_.git("h", {"update-index", "--add", "--cacheinfo", "160000," + first_ + ",m"});
  server_.git("h", {"add", ".gitmodules"});
  server_.git("h", {"commit", "--quiet", "--message", "m"});
  server_.publish("h");
  const Output submodule = build_of({server_.url("h")});
  EXPECT_THAT(submodule, ExitsWith(1));
  EXPECT_THAT(submodule.err, HasSubstr("transport 'file' not allowed"));
}

TEST_F(BuildGitTest, SubmodulesComeAlong) {
  server_.create("s");
  server_.write("s", "Dockerfile", kDockerfile);
  server_.git("s", {"submodule", "--quiet", "add", server_.url("r"), "m"});
  server_.commit("s");
  ASSERT_THAT(build_of({server_.url("s")}), ExitsWith(0));
  EXPECT_EQ(in_image("cat /all/m/f; ls -A /all/m"), "two\n.dockerignore\nDockerfile\nd\nf\nrun\n");
  ASSERT_THAT(build_of({server_.url("s") + "?submodules=false"}), ExitsWith(0));
  EXPECT_EQ(in_image("ls -A /all/m"), "");
}

TEST_F(BuildGitTest, PasswordsComeFromSecrets) {
  server_.authorization = "basic eC1hY2Nlc3MtdG9rZW46dG9wc2VjcmV0";  // x-access-token:topsecret
  const Output refused = build_of({server_.url("r")});
  EXPECT_THAT(refused, ExitsWith(1));
  EXPECT_THAT(refused.err, HasSubstr("GIT_AUTH_TOKEN"));
  write("token", "topsecret\n");
  const std::string secret =
      "id=GIT_AUTH_TOKEN." + server_.host() + ",src=" + directory() + "/token";
  const Output built = build_of(
      {"--secret", secret, "--build-arg", "BUILDKIT_CONTEXT_KEEP_GIT_DIR=1", server_.url("r")});
  ASSERT_THAT(built, ExitsWith(0));
  EXPECT_THAT(built.out + built.err, Not(HasSubstr("topsecret")));
  EXPECT_EQ(in_image("grep -r -e topsecret -e dG9wc2VjcmV0 /all/.git; cat /all/f"), "two\n");
  EXPECT_THAT(build_of({"--secret", "id=GIT_AUTH_TOKEN.other,src=" + directory() + "/token",
                        server_.url("r")}),
              ExitsWith(1))
      << "another host's";
}

TEST_F(BuildGitTest, SshSpeaksWithTheAgentOfTheBuild) {
  const std::string path = directory() + "/agent";
  const os::UniqueFd agent(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(agent.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  // In the place of ssh: the other end, on this machine.
  write("bin/ssh",
        "#!/bin/sh\necho \"$SSH_AUTH_SOCK $*\" >> " + directory() +
            "/calls\nfor last; do :; done\ncd " + server_.served() + " && exec sh -c \"$last\"\n",
        0755);
  environment()["PATH"] = directory() + "/bin:/usr/bin:/bin";
  write("Dockerfile", "FROM test\nADD git@example.test:r.git#v1 /r\n");
  ASSERT_THAT(build_of({"--ssh", "default=" + path, directory()}), ExitsWith(0));
  EXPECT_EQ(in_image("cat /r/f"), "one\n");
  const std::string calls = os::read_file(directory() + "/calls");
  EXPECT_THAT(calls, AllOf(HasSubstr(path), HasSubstr("StrictHostKeyChecking=yes"),
                           HasSubstr("BatchMode=yes"), HasSubstr("git@example.test")));
  ASSERT_THAT(build_of({"git@example.test:r.git#main"}), ExitsWith(0));
  EXPECT_EQ(in_image("cat /all/f"), "two\n");
}

TEST_F(BuildGitTest, ASlowServerCanBeLeft) {
  support::HttpServer slow([](const ServedRequest&) -> ServedAnswer {
    return {.headers = {{"Content-Type", "application/x-git-upload-pack-advertisement"}},
            .body = std::string(2'000'000, '0'),
            .pause = milliseconds(100)};
  });
  Command command = start({"build", "-t", "made", slow.url() + "/r.git"});
  ASSERT_TRUE(wait_until([&] { return slow.count("GET", "/r.git/info/refs") > 0; }));
  command.send_signal(SIGINT);
  EXPECT_THAT(command.wait(), ExitsWith(130));
  EXPECT_THAT(os::list_directory(data_directory() + "/images/tmp"), IsEmpty());
}

TEST_F(BuildGitTest, WithoutTheProgramTheMessageSaysSo) {
  environment()["PATH"] = directory();
  const Output output = build_of({server_.url("r")});
  EXPECT_THAT(output, ExitsWith(1));
  EXPECT_THAT(output.err, HasSubstr("git is needed for this and is not installed"));
  must_build("FROM test\nRUN true\n");
}

}  // namespace
}  // namespace e2e
