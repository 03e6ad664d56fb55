// Known attacks on what enters a container's files from outside: `cp`, and what looks up users and
// unpacks archives. The number is that of the row in docs/security.md.
#include <sys/stat.h>

#include <filesystem>

#include "tests/support/stack_fixture.hpp"
#include "tests/support/tar_builder.hpp"

namespace e2e {
namespace {

namespace fs = std::filesystem;

class SecCopy : public support::StackTest {
 protected:
  void SetUp() override {
    StackTest::SetUp();
    write("outside/secret", "of the host\n");
    write("outside/victim", "safe\n");
    write("inside", "from outside\n");
  }
  std::string outside() const { return directory() + "/outside"; }
  /// What is outside is as it was.
  void expect_untouched() {
    std::vector<std::string> names = os::list_directory(outside());
    EXPECT_THAT(names, testing::ElementsAre("secret", "victim"));
    EXPECT_EQ(os::read_file(outside() + "/victim"), "safe\n");
  }
  /// `cp` both ways through `path`, again and again, whatever comes of it; how often it worked.
  int copy_through(const std::string& path) {
    constexpr int kTimes = 60;
    int worked = 0;
    for (int i = 0; i < kTimes; ++i) {
      if (stack({"cp", "inside", "a:" + path + "/victim"}).code == 0) ++worked;
      stack({"cp", "inside", "a:" + path + "/new"});
      fs::remove(directory() + "/got");
      if (stack({"cp", "a:" + path + "/secret", "got"}).code == 0) ++worked;
      EXPECT_NE(os::read_file_if_exists(directory() + "/got").value_or(""), "of the host\n");
      expect_untouched();
      if (HasFailure()) break;
    }
    return worked;
  }
};

// CVE-2019-14271
TEST_F(SecCopy, Sec09_NoLibraryOfTheContainerIsLoaded) {
  write("nsswitch.conf",
        "passwd: canary files\ngroup: canary files\nshadow: canary\nhosts: canary\n");
  fs::copy_file(support::nss_canary(), directory() + "/canary.so");
  std::string mounts = "['./nsswitch.conf:/etc/nsswitch.conf'";
  for (const char* name : {"canary", "files", "compat", "dns"})
    mounts += std::string(", './canary.so:/usr/lib/libnss_") + name + ".so.2'";
  // With these a program linked to them statically could load others.
  for (const char* file : {"/lib/x86_64-linux-gnu/libc.so.6", "/lib64/ld-linux-x86-64.so.2"})
    if (os::exists(file)) mounts += std::string(", '") + file + ":" + file + ":ro'";
  manifest("services: {a: {image: IMAGE, user: app, group_add: [extra], volumes: " + mounts +
           "], healthcheck: {test: 'true', interval: 1s}}}\n");
  fs::remove("/tmp/nss-canary");
  up({"--wait"});
  EXPECT_THAT(ask("a", {"id"}), HasSubstr("uid=1000"));
  EXPECT_THAT(stack({"exec", "-T", "-u", "nobody:extra", "a", "probe", "id"}).out,
              HasSubstr("uid=65534 gid=2000"));
  EXPECT_THAT(stack({"cp", "-a", "inside", "a:/tmp/inside"}), ExitsWith(0));
  EXPECT_THAT(stack({"cp", "-a", "a:/etc/passwd", "got"}), ExitsWith(0));
  EXPECT_THAT(stack({"run", "--rm", "-T", "-u", "app", "a", "true"}), ExitsWith(0));
  EXPECT_NE(probe("a", {"exists", "/tmp/nss-canary"}).code, 0);
  EXPECT_FALSE(os::exists("/tmp/nss-canary"));
}

// CVE-2018-15664: a directory on the way becomes a link, and again a directory, while it is walked.
TEST_F(SecCopy, Sec10_AWayThatChangesWhileItIsWalkedLeadsNowhere) {
  manifest(
      "services: {a: {image: IMAGE, command: \"sh -c 'mkdir /tmp/d; echo mine > /tmp/d/secret; "
      "ln -s " +
      outside() + " /tmp/l; exec probe flip /tmp/d /tmp/l'\"}}\n");
  up();
  ASSERT_TRUE(wait_until([&] { return logs("a") == "flipping\n"; }));
  EXPECT_GT(copy_through("/tmp/d"), 0) << "no copy met the directory";
}

// CVE-2026-42306: what a volume is mounted on is not looked up from outside.
TEST_F(SecCopy, Sec11_NothingIsMountedForACopy) {
  const std::string script = "mkdir -p /v/d; echo mine > /v/d/secret; ln -s " + outside() +
                             " /v/l; exec probe flip /v/d /v/l";
  manifest("services: {a: {image: IMAGE, volumes: ['data:/v'], command: \"sh -c '" + script +
           "'\"}}\nvolumes: {data: }\n");
  up();
  ASSERT_TRUE(wait_until([&] { return logs("a") == "flipping\n"; }));
  const auto before = support::mounts();
  EXPECT_GT(copy_through("/v/d"), 0) << "no copy met the directory";
  EXPECT_EQ(support::mounts(), before);
  // One that does not run, whose image has a link where the volume is to be mounted.
  must({"down", "--volumes"});
  write("linked.tar", support::TarBuilder().symlink("v", outside()).directory("tmp").finish());
  CommandOptions options;
  options.input = directory() + "/linked.tar";
  ASSERT_THAT(stack({"import", "-", project() + "-linked"}, options), ExitsWith(0));
  manifest("services: {a: {image: " + project() +
           "-linked, command: x, volumes: ['data:/v/new/deep']}}\nvolumes: {data: }\n");
  must({"create"});
  stack({"cp", "inside", "a:/v/new/deep/file"});
  stack({"cp", "inside", "a:/v/victim"});
  expect_untouched();
  EXPECT_EQ(support::mounts(), before);
}

// CVE-2026-41567: what unpacks is ours, not a program of that name.
TEST_F(SecCopy, Sec12_NoProgramIsCalledToUnpack) {
  const std::string trap = "#!/bin/sh\necho called >> " + directory() + "/called\nexit 1\n";
  std::string mounts;
  for (const char* name :
       {"gzip", "gunzip", "pigz", "unpigz", "xz", "unxz", "zstd", "bzip2", "tar"}) {
    write(std::string("traps/") + name, trap, 0755);
    mounts +=
        std::string(mounts.empty() ? "" : ", ") + "'./traps/" + name + ":/usr/bin/" + name + "'";
  }
  manifest("services: {a: {image: IMAGE, volumes: [" + mounts + "]}}\n");
  up();
  write("plain.tar", support::TarBuilder().file("packed", "content\n").finish());
  const std::string plain = directory() + "/plain.tar";
  for (const auto& [program, suffix] : {std::pair{"/usr/bin/gzip", "gz"},
                                        {"/usr/bin/xz", "xz"},
                                        {"/usr/bin/zstd", "zst"},
                                        {"/usr/bin/bzip2", "bz2"}}) {
    if (!os::exists(program)) continue;
    CommandOptions packing;
    packing.environment = environment();
    ASSERT_THAT(
        support::run({"/bin/sh", "-c",
                      std::string(program) + " -c < " + plain + " > " + plain + "." + suffix},
                     packing),
        ExitsWith(0));
  }
  const std::string usual = environment()["PATH"];
  environment()["PATH"] = directory() + "/traps:" + usual;
  int packed = 0;
  for (const char* suffix : {"", ".gz", ".xz", ".zst", ".bz2"}) {
    CommandOptions options;
    options.input = plain + suffix;
    if (!os::exists(*options.input)) continue;
    const Output copied = stack({"cp", "-", "a:/tmp"}, options);
    if (copied.code == 0) ++packed;
    const std::string image = project() + "-packed";
    if (stack({"import", "-", image}, options).code == 0) must({"rmi", image});
    stack({"cp", *options.input, "a:/tmp/archive"});
    stack({"cp", "a:/tmp/archive", "back"});
  }
  EXPECT_GT(packed, 0);
  EXPECT_FALSE(os::exists(directory() + "/called")) << os::read_file(directory() + "/called");
  environment()["PATH"] = usual;
}

}  // namespace
}  // namespace e2e
