// What builds read from elsewhere (URLs, heredocs, agents, other images), and hostile sources.
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "tests/e2e/build_fixture.hpp"
#include "tests/support/http_server.hpp"
#include "tests/support/tar_builder.hpp"

namespace e2e {
namespace {

using support::ServedAnswer;
using support::ServedRequest;
using support::TarBuilder;

class BuildSourcesTest : public BuildTest {
 protected:
  std::string digest_of(const std::string& text) {
    write("text", text);
    const Output sum = support::run({"/usr/bin/sha256sum", directory() + "/text"}, {});
    return "sha256:" + sum.out.substr(0, 64);
  }
};

TEST_F(BuildSourcesTest, AddFetchesUrls) {
  const std::string archive = TarBuilder().file("in/file", "unpacked\n").finish();
  std::string authorization;
  support::HttpServer other([&](const ServedRequest& request) -> ServedAnswer {
    authorization = request.header("authorization");
    return {.body = "elsewhere\n"};
  });
  support::HttpServer server([&](const ServedRequest& request) -> ServedAnswer {
    if (request.path == "/data.txt")
      return {.headers = {{"Last-Modified", "Tue, 15 Nov 1994 12:45:26 GMT"}}, .body = "data\n"};
    if (request.path == "/all.tar") return {.body = archive};
    if (request.path == "/moved" && request.header("authorization") == "Bearer token")
      return {.status = 302, .headers = {{"Location", other.url() + "/there"}}};
    return {.status = 404};
  });
  const std::string url = server.url();
  const std::string digest = digest_of("data\n");
  write("token", "token\n");
  const std::string file = "FROM test\nADD --checksum=" + digest + " " + url +
                           "/data.txt /d/\nADD " + url + "/all.tar /kept\nADD --unpack=true " +
                           url + "/all.tar /x/\nADD --chown=7:8 " + url + "/moved /moved\n";
  const std::vector<std::string> secret{
      "--secret", "id=HTTP_AUTH_TOKEN_" + server.host() + ",src=" + directory() + "/token"};
  must_build(file, secret);
  EXPECT_EQ(in_image("cat /d/data.txt /x/in/file /moved; stat -c '%a %u:%g %Y' /d/data.txt; "
                     "stat -c '%a %u:%g' /moved; stat -c %s /kept"),
            "data\nunpacked\nelsewhere\n600 0:0 784903526\n600 7:8\n" +
                std::to_string(archive.size()) + "\n");
  EXPECT_EQ(authorization, "") << "a redirect leads to another host";
  EXPECT_THAT(must_build(file, secret).err, HasSubstr("CACHED"));
  EXPECT_THAT(
      build("FROM test\nADD --checksum=" + digest_of("other") + " " + url + "/data.txt /\n").err,
      HasSubstr("--checksum says"));
  EXPECT_THAT(build("FROM test\nADD " + url + "/none /\n").err, HasSubstr("404"));
}

TEST_F(BuildSourcesTest, HeredocsAreScriptsAndFiles) {
  must_build(
      "FROM test\nARG WHO=me\n"
      "RUN <<EOF\necho first > /one\necho $WHO >> /one\nEOF\n"
      "RUN <<'EOF'\n#!/bin/sh\necho \"$0\" > /two\nEOF\n"
      "RUN cat <<A <<-B > /three; cat /three >> /four\nignored\nA\n\tlast\n\tB\n"
      "COPY --chmod=751 --chown=5 <<run /bin/run\n#!/bin/sh\necho ${WHO}\nrun\n");
  EXPECT_EQ(in_image("cat /one /two /four; stat -c '%a %u' /bin/run; run"),
            "first\nme\n/dev/pipes/EOF\nlast\n751 5\nme\n");
}

TEST_F(BuildSourcesTest, TheDockerfilesOwnIgnoreFileWins) {
  write("a", "a\n");
  write("b", "b\n");
  write(".dockerignore", "a\n");
  write("other.Dockerfile", "FROM test\nCOPY . /all\n");
  write("other.Dockerfile.dockerignore", "b\n");
  ASSERT_THAT(stack({"build", "-f", directory() + "/other.Dockerfile", "-t", "made", directory()}),
              ExitsWith(0));
  EXPECT_EQ(in_image("ls /all | grep -x '[ab]'"), "a\n");
}

TEST_F(BuildSourcesTest, AnAgentIsThereForOneStep) {
  const std::string path = directory() + "/agent";
  const os::UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(socket.get(), 1), 0);
  must_build(
      "FROM test\nRUN --mount=type=ssh,mode=0666 test -S \"$SSH_AUTH_SOCK\" && echo yes > /one\n"
      "RUN test -z \"$SSH_AUTH_SOCK\" && test ! -e /run && echo gone > /two\n",
      {"--ssh", "default=" + path});
  EXPECT_EQ(in_image("cat /one /two"), "yes\ngone\n");
  EXPECT_THAT(build("FROM test\nRUN --mount=type=ssh,required true\n").err,
              HasSubstr("no agent was given"));
}

TEST_F(BuildSourcesTest, NamedContextsStandInForImagesAndStages) {
  write("more/file", "from the directory\n");
  must_build("FROM test\nRUN echo base > /base\n", {}, "first");
  must_build("FROM base AS one\nCOPY --from=more file /f\nCOPY --from=other /seed/file /g\n",
             {"--build-context", "base=docker-image://first", "--build-context",
              "more=" + directory() + "/more", "--build-context", "other=docker-image://test"});
  EXPECT_EQ(in_image("cat /base /f; test -s /g && echo there"),
            "base\nfrom the directory\nthere\n");
}

TEST_F(BuildSourcesTest, SharedCachesAreLockedAsTheySay) {
  // Two stages at once: what is locked is never seen half done.
  const std::string step =
      "RUN --mount=type=cache,target=/c,sharing=locked,uid=5,mode=0750 test ! -e /c/busy && "
      "touch /c/busy && stat -c '%a %u' /c > /mode && sleep 0.3 && rm /c/busy && echo x >> /c/n\n";
  must_build("FROM test AS a\n" + step + "FROM test AS b\nENV OTHER=1\n" + step +
             "FROM test\nCOPY --from=a /mode /a\nCOPY --from=b /mode /b\n"
             "RUN --mount=type=cache,target=/c,uid=5,mode=0750,ro wc -l < /c/n > /n; touch /c/x || "
             "echo ro >> /n\n");
  EXPECT_EQ(in_image("cat /a /b /n"), "750 5\n750 5\n2\nro\n");
}

TEST_F(BuildSourcesTest, ATerminalShowsWhatRuns) {
  write("Dockerfile", "FROM test\nRUN echo working && sleep 0.5 && printf '\\033[31mred\\n'\n");
  CommandOptions options;
  options.terminal = true;
  const Output built = stack({"build", "-t", "made", directory()}, options);
  EXPECT_THAT(built, ExitsWith(0));
  EXPECT_THAT(built.out, AllOf(HasSubstr("=> [2/2] RUN echo working"), HasSubstr("=> => working"),
                               HasSubstr("\033[J"), Not(HasSubstr("\033[31mred"))));
  write("Dockerfile", "FROM test\nRUN echo said && false\n");
  const Output failed = stack({"build", "-t", "made", directory()}, options);
  EXPECT_THAT(failed, ExitsWith(1));
  EXPECT_THAT(failed.out,
              AllOf(HasSubstr("said"), HasSubstr(">>> RUN echo said"), HasSubstr("exit code: 1")));
}

TEST_F(BuildSourcesTest, HostileArchivesAreRefusedByName) {
  write("outside/victim", "old\n");
  const auto refused = [&](const std::string& archive) {
    write("a.tar", archive);
    const Output output = build("FROM test\nADD a.tar /d/\n");
    EXPECT_THAT(output, ExitsWith(1));
    EXPECT_THAT(output.err, HasSubstr("Dockerfile:2"));
    return output.err;
  };
  EXPECT_THAT(refused(TarBuilder().file("../../escape", "x").finish()), HasSubstr("escape"));
  EXPECT_THAT(refused(TarBuilder().file("x/.wh.", "x").finish()), HasSubstr(".wh."));
  EXPECT_THAT(refused(TarBuilder().hardlink("link", "../../../etc/passwd").finish()),
              HasSubstr("link"));
  EXPECT_THAT(refused(TarBuilder().symlink("s", "s").file("s/file", "x").finish()),
              HasSubstr("s/file"));
  // Through a link of its own an archive reaches no further than the image.
  write("a.tar",
        TarBuilder().symlink("out", directory() + "/outside").file("out/victim", "new\n").finish());
  build("FROM test\nADD a.tar /d/\n");
  EXPECT_EQ(os::read_file(directory() + "/outside/victim"), "old\n");
  expect_nothing_left();
}

TEST_F(BuildSourcesTest, ABombStopsAtItsLimit) {
  CommandOptions options;
  options.environment = {{"PATH", "/usr/bin:/bin"}};
  const std::string path = directory() + "/bomb.tar.gz";
  ASSERT_THAT(support::run({"/bin/sh", "-c",
                            "truncate -s 200M " + directory() + "/zeros && tar -C " + directory() +
                                " -czf " + path + " zeros && rm " + directory() + "/zeros"},
                           options),
              ExitsWith(0));
  const Output output = build("FROM test\nADD bomb.tar.gz /\n");
  EXPECT_THAT(output, ExitsWith(1));
  EXPECT_THAT(output.err, HasSubstr("Dockerfile:2"));
}

TEST_F(BuildSourcesTest, HostileContextsHarmNobody) {
  // Deeper than any path may be, pipes that nobody writes, a circle of links.
  std::string deep = directory() + "/deep";
  ASSERT_EQ(::mkdir(deep.c_str(), 0755), 0);
  for (int i = 0; i < 300; ++i) {
    deep += "/d";
    ASSERT_EQ(::mkdir(deep.c_str(), 0755), 0);
  }
  EXPECT_THAT(build("FROM test\nCOPY deep /x\n").err, HasSubstr("too deep"));
  ASSERT_EQ(::mkfifo((directory() + "/pipe").c_str(), 0644), 0);
  ASSERT_EQ(::symlink("loop", (directory() + "/loop").c_str()), 0);
  write(".dockerignore", "deep\n");
  must_build("FROM test\nCOPY pipe /p\nCOPY . /all/\n");
  EXPECT_EQ(in_image("test -p /p && test -L /all/loop && echo kept"), "kept\n");
  EXPECT_THAT(build("FROM test\nCOPY loop/x /\n").err, HasSubstr("levels of symbolic links"));
}

}  // namespace
}  // namespace e2e
