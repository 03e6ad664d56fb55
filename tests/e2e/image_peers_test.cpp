// Programs that are not ours read what we build, save and push, and find in it what our containers
// see; and the other way round.
#include "tests/e2e/build_fixture.hpp"
#include "tests/support/registry_server.hpp"

namespace e2e {
namespace {

using support::RegistryServer;

class ImagePeersTest : public BuildTest {
 protected:
  void SetUp() override {
    BuildTest::SetUp();
    for (const char* program : {"/usr/bin/skopeo", "/usr/bin/umoci"})
      ASSERT_TRUE(os::exists(program)) << program << " is not there: .ci/install tests";
  }
  // In the project's directory; must succeed.
  std::string peer(const std::vector<std::string>& words) const {
    CommandOptions options;
    options.environment = {{"PATH", "/usr/bin:/bin"}, {"HOME", directory()}};
    options.working_directory = directory();
    const Output output = support::run(words, options);
    EXPECT_THAT(output, ExitsWith(0));
    return output.out;
  }
  std::string skopeo(std::vector<std::string> words) const {
    words.insert(words.begin(), {"/usr/bin/skopeo", "--insecure-policy"});
    return peer(words);
  }
};

// Type, mode, owner, links, size and content of all that is below "t" and "seed".
constexpr const char* kListing =
    "find t seed | sort | while read -r f; do "
    "if [ -L \"$f\" ]; then echo \"$f -> $(readlink \"$f\")\"; "
    "elif [ -f \"$f\" ]; then stat -c '%n %f %u:%g %h %s %Y' \"$f\"; sha256sum \"$f\"; "
    "else stat -c '%n %f %u:%g %Y' \"$f\"; fi; done";

constexpr const char* kDockerfile =
    "FROM test\n"
    "RUN mkdir -p /t/sub /t/gone && echo one > /t/one && ln /t/one /t/same && ln -s one /t/link && "
    "touch /t/gone/file /t/sub/removed && chmod 4711 /t/one && mkfifo /t/pipe && "
    "touch \"/t/nö blank\"\n"
    "RUN rm -r /t/gone /t/sub/removed /seed/file && rm -r /seed/inner && mkdir /seed/inner && "
    "touch /seed/inner/new\n"
    "COPY --chown=12:34 --chmod=u=rwX,go= tree /t/tree/\n"
    "WORKDIR /t/work\nUSER root\nENV COLOUR=blue\nCMD [\"sh\", \"-c\", \"echo $COLOUR\"]\n";

TEST_F(ImagePeersTest, TheySeeWhatOurContainersSee) {
  write("tree/a/b", "b\n");
  write("tree/c", std::string(100'000, 'c'));
  const json config = config_of(must_build(kDockerfile));
  const std::string ours = in_image(std::string("cd / && ") + kListing);
  EXPECT_THAT(ours, HasSubstr("t/tree/a/b"));
  must({"save", "-o", directory() + "/made.tar", "made"});
  skopeo({"copy", "docker-archive:made.tar", "oci:layout:made"});
  EXPECT_EQ(json::parse(skopeo({"inspect", "--config", "--raw", "oci:layout:made"}))["config"],
            config["config"]);
  peer({"/usr/bin/umoci", "unpack", "--image", "layout:made", "bundle"});
  EXPECT_EQ(peer({"/bin/sh", "-c", std::string("cd bundle/rootfs && ") + kListing}), ours);
  // Back again, in their archive of our image.
  must({"rmi", "--force", "made"});
  skopeo({"copy", "oci:layout:made", "docker-archive:theirs.tar:made:latest"});
  EXPECT_THAT(must({"load", "-i", directory() + "/theirs.tar"}), HasSubstr("made:latest"));
  EXPECT_EQ(in_image(std::string("cd / && ") + kListing), ours);
  skopeo({"copy", "oci:layout:made", "oci-archive:theirs.oci:again"});
  must({"load", "-i", directory() + "/theirs.oci"});
}

TEST_F(ImagePeersTest, TheyAndWeUseOneRegistry) {
  ASSERT_TRUE(support::has_registry_server())
      << "docker-registry is not installed: .ci/install tests";
  RegistryServer registry;
  write("tree/c", "c\n");
  const std::string name = registry.host() + "/made:1";
  must_build(kDockerfile, {}, name);
  const std::string pushed = must({"push", name});
  const json seen = json::parse(skopeo({"inspect", "--tls-verify=false", "docker://" + name}));
  EXPECT_THAT(pushed, HasSubstr(seen["Digest"].get<std::string>()));
  const std::string theirs = registry.host() + "/theirs:1";
  skopeo({"copy", "--src-tls-verify=false", "--dest-tls-verify=false", "--format", "v2s2",
          "docker://" + name, "docker://" + theirs});
  must({"pull", theirs});
  EXPECT_EQ(in_image("cat /t/tree/c", theirs), "c\n");
}

}  // namespace
}  // namespace e2e
