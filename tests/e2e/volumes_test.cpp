// Volumes, binds, tmpfs, configs and secrets (Compose A8–A11, D10) and `volume ls|rm`.
#include <sys/stat.h>

#include "tests/support/stack_fixture.hpp"

namespace e2e {
namespace {

class VolumesTest : public support::StackTest {};

// D10.1
TEST_F(VolumesTest, NamedVolumesAreSharedAndOutliveDown) {
  manifest(R"(
services:
  a: {image: IMAGE, volumes: ["data:/data"]}
  b: {image: IMAGE, volumes: ["data:/elsewhere:ro"]}
volumes: {data: }
)");
  up();
  ask("a", {"write", "/data/file", "kept"});
  EXPECT_EQ(ask("b", {"cat", "/elsewhere/file"}), "kept\n");
  EXPECT_THAT(probe("b", {"write", "/elsewhere/file", "x"}).out, HasSubstr("EROFS"));
  must({"down"});
  up();
  EXPECT_EQ(ask("a", {"cat", "/data/file"}), "kept\n");
  must({"down", "-v"});
  up();
  EXPECT_NE(probe("a", {"exists", "/data/file"}).code, 0);
}

// D10.3
TEST_F(VolumesTest, AnEmptyVolumeTakesTheImagesContent) {
  manifest(R"(
services:
  a: {image: IMAGE, volumes: ["seed:/seed", "plain:/seed2", "bare:/nowhere"]}
  b:
    image: IMAGE
    volumes: [{type: volume, source: nocopy, target: /seed, volume: {nocopy: true}}]
volumes: {seed: , plain: , bare: , nocopy: }
)");
  up();
  EXPECT_EQ(ask("a", {"cat", "/seed/file", "/seed/inner/file"}), "from the image\ndeeper\n");
  EXPECT_THAT(ask("a", {"stat", "/seed", "/seed/file"}),
              AllOf(HasSubstr("d 0751 1000 1000"), HasSubstr("- 0644 1000 1000")));
  EXPECT_THAT(ask("a", {"stat", "/seed/link"}), HasSubstr("l "));
  EXPECT_THAT(ask("a", {"stat", "/nowhere"}), HasSubstr("d 0755 0 0"));
  EXPECT_EQ(ask("b", {"ls", "/seed"}), "");
}

TEST_F(VolumesTest, AVolumeInUseIsNotFilledAgain) {
  manifest("services: {a: {image: IMAGE, volumes: ['seed:/seed']}}\nvolumes: {seed: }\n");
  up();
  must({"exec", "-T", "a", "rm", "/seed/file"});
  up({"--force-recreate"});
  EXPECT_NE(probe("a", {"exists", "/seed/file"}).code, 0);
}

TEST_F(VolumesTest, BindsShowTheHostsFiles) {
  write("dir/file", "host\n");
  write("single", "alone\n");
  manifest(R"(
services:
  a:
    image: IMAGE
    volumes:
      - ./dir:/dir
      - ./single:/etc/single:ro
      - {type: bind, source: ./dir, target: /long, read_only: true}
)");
  up();
  EXPECT_EQ(ask("a", {"cat", "/dir/file", "/etc/single", "/long/file"}), "host\nalone\nhost\n");
  ask("a", {"write", "/dir/back", "written inside"});
  EXPECT_EQ(os::read_file(directory() + "/dir/back"), "written inside\n");
  EXPECT_THAT(probe("a", {"write", "/long/x", "x"}).out, HasSubstr("EROFS"));
  EXPECT_THAT(probe("a", {"write", "/etc/single", "x"}).out, HasSubstr("EROFS"));
}

// A8: a missing host directory is made, also in the long form; not when told so.
TEST_F(VolumesTest, MissingBindSourcesAreMade) {
  manifest(R"(
services:
  a:
    image: IMAGE
    volumes: ["./made:/made", {type: bind, source: ./made-long, target: /long}]
)");
  up();
  struct stat info {};
  ASSERT_EQ(::stat((directory() + "/made").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0755U);
  EXPECT_TRUE(os::exists(directory() + "/made-long"));
}

TEST_F(VolumesTest, AMissingBindSourceIsAnErrorWhenItMayNotBeMade) {
  manifest(R"(
services:
  a:
    image: IMAGE
    volumes: [{type: bind, source: ./missing, target: /x, bind: {create_host_path: false}}]
)");
  const Output output = stack({"up", "-d"});
  EXPECT_THAT(output, ExitsWith(1));
  EXPECT_THAT(output.err,
              HasSubstr("bind source path does not exist: " + directory() + "/missing"));
}

// D10.2: anonymous volumes follow a recreation, not with -V.
TEST_F(VolumesTest, AnonymousVolumesFollowARecreation) {
  manifest("services: {a: {image: IMAGE, volumes: ['/anonymous']}}\n");
  up();
  ask("a", {"write", "/anonymous/file", "kept"});
  up({"--force-recreate"});
  EXPECT_EQ(ask("a", {"cat", "/anonymous/file"}), "kept\n");
  up({"--force-recreate", "-V"});
  EXPECT_NE(probe("a", {"exists", "/anonymous/file"}).code, 0);
}

// A2: tmpfs. D10.8
TEST_F(VolumesTest, TmpfsIsEmptyAtEachStart) {
  manifest(R"(
services:
  a:
    image: IMAGE
    tmpfs: ["/scratch", "/small:size=1m,mode=700,uid=1000"]
    volumes: [{type: tmpfs, target: /long, tmpfs: {size: 2m, mode: 0750}}]
)");
  up();
  EXPECT_THAT(ask("a", {"stat", "/scratch", "/small", "/long"}),
              AllOf(HasSubstr("d 1777 0 0"), HasSubstr("d 0700 1000 0"), HasSubstr("d 0750 0 0")));
  EXPECT_EQ(ask("a", {"fs-size", "/small"}), "1048576\n");
  EXPECT_EQ(ask("a", {"fs-size", "/long"}), "2097152\n");
  EXPECT_THAT(ask("a", {"mounts"}), testing::ContainsRegex(" /scratch [^\n]*noexec"));
  ask("a", {"write", "/scratch/file", "x"});
  must({"restart"});
  EXPECT_EQ(ask("a", {"ls", "/scratch"}), "");
}

// D10.6: nested mounts work whatever their order.
TEST_F(VolumesTest, DeeperMountsLieOnTop) {
  write("outer/file", "outer\n");
  write("inner/file", "inner\n");
  manifest("services: {a: {image: IMAGE, volumes: ['./inner:/x/deep', './outer:/x']}}\n");
  up();
  EXPECT_EQ(ask("a", {"cat", "/x/file", "/x/deep/file"}), "outer\ninner\n");
}

// A2: read_only
TEST_F(VolumesTest, AReadOnlyRootKeepsVolumesWritable) {
  manifest(
      "services: {a: {image: IMAGE, read_only: true, tmpfs: /scratch, volumes: "
      "['data:/data']}}\nvolumes: {data: }\n");
  up();
  EXPECT_THAT(probe("a", {"write", "/file", "x"}).out, HasSubstr("EROFS"));
  ask("a", {"write", "/data/file", "x"});
  ask("a", {"write", "/scratch/file", "x"});
  ask("a", {"write", "/dev/shm/file", "x"});
}

// A9
TEST_F(VolumesTest, ExternalVolumesMustExist) {
  manifest(
      "services: {a: {image: IMAGE, volumes: ['data:/data']}}\nvolumes: {data: {external: true, "
      "name: not-there}}\n");
  const Output output = stack({"up", "-d"});
  EXPECT_THAT(output, ExitsWith(1));
  EXPECT_THAT(output.err, HasSubstr("external volume \"not-there\" not found"));
}

TEST_F(VolumesTest, ListedAndRemoved) {
  manifest("services: {a: {image: IMAGE, volumes: ['data:/data']}}\nvolumes: {data: }\n");
  up();
  EXPECT_THAT(must({"volume", "ls"}),
              AllOf(HasSubstr("VOLUME NAME"), HasSubstr(project() + "_data")));
  EXPECT_THAT(must({"volume", "ls", "--format", "json"}), HasSubstr("\"" + project() + "_data\""));
  const Output used = stack({"volume", "rm", project() + "_data"});
  EXPECT_THAT(used, ExitsWith(1));
  EXPECT_THAT(used.err, HasSubstr("in use"));
  must({"down"});
  must({"volume", "rm", project() + "_data"});
  EXPECT_THAT(must({"volume", "ls"}), Not(HasSubstr(project() + "_data")));
}

// ---- A10, A11

TEST_F(VolumesTest, ConfigsAndSecretsAreFiles) {
  write("config.txt", "from a file\n");
  write("secret.txt", "hush\n", 0640);
  environment()["SECRET_VALUE"] = "from the environment";
  manifest(R"(
services:
  a:
    image: IMAGE
    configs:
      - plain
      - {source: inline, target: /etc/app/inline.conf, uid: "1000", gid: "2000", mode: 0440}
    secrets:
      - file_secret
      - {source: env_secret, target: renamed}
configs:
  plain: {file: ./config.txt}
  inline: {content: "text\n"}
secrets:
  file_secret: {file: ./secret.txt}
  env_secret: {environment: SECRET_VALUE}
)");
  up();
  EXPECT_EQ(ask("a", {"cat", "/plain", "/etc/app/inline.conf", "/run/secrets/file_secret"}),
            "from a file\ntext\nhush\n");
  EXPECT_THAT(ask("a", {"cat", "/run/secrets/renamed"}), HasSubstr("from the environment"));
  EXPECT_THAT(ask("a", {"stat", "/etc/app/inline.conf"}), HasSubstr("- 0440 1000 2000"));
  EXPECT_THAT(ask("a", {"stat", "/run/secrets/file_secret"}), HasSubstr("- 0640 0 0"));
  EXPECT_THAT(ask("a", {"stat", "/run/secrets/renamed"}), HasSubstr("- 0444 0 0"));
  EXPECT_THAT(probe("a", {"write", "/plain", "x"}).out, HasSubstr("EROFS"));
}

// A11: a changed content alone does not recreate.
TEST_F(VolumesTest, ChangedConfigContentDoesNotRecreate) {
  manifest("services: {a: {image: IMAGE, configs: [c]}}\nconfigs: {c: {content: one}}\n");
  up();
  const std::string before = id("a");
  manifest("services: {a: {image: IMAGE, configs: [c]}}\nconfigs: {c: {content: two}}\n");
  up();
  EXPECT_EQ(id("a"), before);
}

}  // namespace
}  // namespace e2e
