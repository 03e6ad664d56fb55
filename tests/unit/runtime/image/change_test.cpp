#include "runtime/image/change.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/image/words.hpp"
#include "runtime/os/error.hpp"

namespace image {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

ImageConfig changed(const std::vector<std::string>& instructions, ImageConfig config = {}) {
  apply_changes(config, instructions);
  return config;
}

TEST(Change, CommandsInBothForms) {
  EXPECT_THAT(changed({R"(CMD ["nginx", "-g", "daemon off;"])"}).cmd,
              ElementsAre("nginx", "-g", "daemon off;"));
  EXPECT_THAT(changed({"cmd echo $HOME \"a b\""}).cmd,
              ElementsAre("/bin/sh", "-c", "echo $HOME \"a b\""));
  EXPECT_THAT(changed({R"(SHELL ["/bin/bash","-lc"])", "CMD x"}).cmd,
              ElementsAre("/bin/bash", "-lc", "x"));
  EXPECT_THAT(changed({"ENTRYPOINT ['not json']"}).entrypoint,
              ElementsAre("/bin/sh", "-c", "['not json']"));
  EXPECT_TRUE(changed({"CMD []"}).cmd.empty());
}

TEST(Change, EntrypointDropsOnlyAnInheritedCommand) {
  ImageConfig base;
  base.cmd = {"inherited"};
  EXPECT_THAT(changed({"ONBUILD run x", "onbuild COPY a b"}).on_build,
              ElementsAre("run x", "COPY a b"));
  EXPECT_THROW(changed({"ONBUILD from x"}), os::Error);
  EXPECT_TRUE(changed({R"(ENTRYPOINT ["e"])"}, base).cmd.empty());
  EXPECT_THAT(changed({R"(CMD ["own"])", R"(ENTRYPOINT ["e"])"}, base).cmd, ElementsAre("own"));
}

TEST(Change, EnvironmentAndLabels) {
  EXPECT_THAT(changed({R"(ENV A=1 B="two words" C='$A' D=a\ b)"}).env,
              ElementsAre("A=1", "B=two words", "C=$A", "D=a b"));
  EXPECT_THAT(changed({"ENV NAME the rest  of it"}).env, ElementsAre("NAME=the rest  of it"));
  EXPECT_THAT(changed({"ENV A=1", "ENV B=${A}x C=${X:-d} D=${A:+s}", "ENV A=2"}).env,
              ElementsAre("A=2", "B=1x", "C=d", "D=s"));
  ImageConfig base;
  base.env = {"PATH=/bin"};
  EXPECT_THAT(changed({"ENV PATH=/x:$PATH"}, base).env, ElementsAre("PATH=/x:/bin"));
  const auto labels = changed({"LABEL a.b=c \"key with\"=1 empty="}).labels;
  EXPECT_EQ(labels.at("a.b"), "c");
  EXPECT_EQ(labels.at("key with"), "1");
  EXPECT_EQ(labels.at("empty"), "");
}

TEST(Change, PortsVolumesAndTheRest) {
  EXPECT_THAT(changed({"EXPOSE 80 53/UDP 8000-8002"}).exposed_ports,
              ElementsAre("53/udp", "80/tcp", "8000/tcp", "8001/tcp", "8002/tcp"));
  EXPECT_THAT(changed({R"(VOLUME ["/a b"])", "VOLUME /c /d"}).volumes,
              ElementsAre("/a b", "/c", "/d"));
  EXPECT_EQ(changed({"WORKDIR /a", "WORKDIR b/../c/"}).working_dir, "/a/c");
  EXPECT_EQ(changed({"WORKDIR ../../x"}).working_dir, "/x");
  EXPECT_EQ(changed({"USER www:data"}).user, "www:data");
  for (const char* signal : {"SIGTERM", "QUIT", "9", "SIGRTMIN+3"})
    EXPECT_EQ(changed({std::string("STOPSIGNAL ") + signal}).stop_signal, signal);
}

TEST(Change, Healthcheck) {
  const auto shell = changed({"HEALTHCHECK --interval=5s --timeout=1m30s --retries=2 CMD curl x"});
  EXPECT_EQ(*shell.healthcheck, (Healthcheck{{"CMD-SHELL", "curl x"}, 5s, 90s, 0s, 0s, 2}));
  const auto exec =
      changed({R"(HEALTHCHECK --start-period=1s --start-interval=100ms cmd ["a","b"])"});
  EXPECT_EQ(*exec.healthcheck, (Healthcheck{{"CMD", "a", "b"}, 0s, 0s, 1s, 100ms, 0}));
  EXPECT_THAT(changed({"HEALTHCHECK NONE"}).healthcheck->test, ElementsAre("NONE"));
}

TEST(Change, MistakesQuoteTheInstruction) {
  for (const char* bad : {"",
                          "RUN true",
                          "CMD",
                          "CMD [1]",
                          "ENV A",
                          "ENV A=1 B",
                          "ENV =1",
                          "ENV A=\"x",
                          "ENV A=${",
                          "ENV A=${B!x}",
                          "EXPOSE x",
                          "EXPOSE 70000",
                          "EXPOSE 80/icmp",
                          "EXPOSE 9-8",
                          "STOPSIGNAL SIGNOPE",
                          "STOPSIGNAL 99",
                          "SHELL /bin/sh",
                          "SHELL []",
                          "HEALTHCHECK true",
                          "HEALTHCHECK --interval=5 CMD x",
                          "HEALTHCHECK --x=1 CMD x",
                          "HEALTHCHECK CMD",
                          "HEALTHCHECK NONE x"})
    EXPECT_THROW(changed({bad}), os::Error) << bad;
  try {
    changed({"EXPOSE 70000"});
  } catch (const os::Error& error) {
    EXPECT_STREQ(error.what(), "change 'EXPOSE 70000': a port is at most 65535");
  }
}

TEST(Words, QuotesAndEscapes) {
  const Variables none = [](std::string_view) { return std::nullopt; };
  EXPECT_EQ(expand(R"(\$X)", none), "$X");
  EXPECT_EQ(expand("a$", none), "a$");
  EXPECT_EQ(expand("$1a", none), "a");
  EXPECT_EQ(expand(R"("a\nb")", none), R"(a\nb)");
  EXPECT_EQ(expand(R"('a\b')", none), R"(a\b)");
  EXPECT_EQ(expand(R"(a\\b)", none), R"(a\b)");
  EXPECT_THROW(expand("${a:-" + std::string(100, 'x'), none), os::Error);
  std::string nested;
  for (int i = 0; i < 1000; ++i) nested += "${a:-";
  EXPECT_THROW(expand(nested, none), os::Error);
}

}  // namespace
}  // namespace image
