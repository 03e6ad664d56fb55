// Attacks on the machine from Dockerfiles and contexts; the numbers are those of docs/security.md.
#include <sys/stat.h>

#include "tests/e2e/build_fixture.hpp"

namespace e2e {
namespace {

class BuildSec : public BuildTest {
 protected:
  void SetUp() override {
    BuildTest::SetUp();
    write("outside/victim", "old\n");
    ASSERT_EQ(::mkdir((directory() + "/ctx").c_str(), 0755), 0);
  }
  Output build_context(const std::string& dockerfile, std::vector<std::string> arguments = {}) {
    write("ctx/Dockerfile", dockerfile);
    arguments.insert(arguments.begin(), {"build", "--progress", "plain", "-t", "made"});
    arguments.push_back(directory() + "/ctx");
    return stack(arguments);
  }
  std::string outside() const { return directory() + "/outside"; }
  void expect_untouched() const {
    EXPECT_EQ(os::read_file(outside() + "/victim"), "old\n");
    EXPECT_EQ(os::list_directory(outside()).size(), 1U);
  }
};

TEST_F(BuildSec, Sec21_ASharedCacheLeadsNowhereElse) {
  // One step turns what is in the cache into links while the other one works there.
  const std::string flip =
      "RUN --mount=type=cache,target=/c for i in $(seq 200); do rm -rf /c/sub; "
      "ln -s " +
      outside() + " /c/sub; rm /c/sub; mkdir /c/sub; done\n";
  const std::string use =
      "RUN --mount=type=cache,target=/c --mount=type=cache,target=/c/sub,id=other "
      "for i in $(seq 200); do echo new > /c/sub/victim; rm -f /c/sub/victim; done; true\n";
  build_context("FROM test AS a\n" + flip + "FROM test AS b\n" + use +
                "FROM test\nCOPY --from=a /seed/file /a\nCOPY --from=b /seed/file /b\n");
  expect_untouched();
  // The cache itself has become a link at the place where the next step mounts something.
  EXPECT_THAT(build_context("FROM test\nRUN --mount=type=cache,target=/c,id=l rm -rf /c/sub && "
                            "ln -s " +
                            outside() + " /c/sub\n"),
              ExitsWith(0));
  build_context(
      "FROM test\nRUN --mount=type=cache,target=/c,id=l --mount=type=tmpfs,target=/c/sub "
      "echo new > /c/sub/victim\n");
  expect_untouched();
}

TEST_F(BuildSec, Sec22_MountPointsAreNotCleanedUpThroughLinks) {
  build_context(
      "FROM test\nRUN --mount=type=tmpfs,target=/a/b/c cd / && mv /a/b /a/x; "
      "rm -rf /a/b; ln -s " +
      outside() + " /a/b; true\n");
  expect_untouched();
  EXPECT_THAT(build_context("FROM test\nRUN ln -s " + outside() +
                                " /stub\n"
                                "RUN --mount=type=tmpfs,target=/stub/victim true\n"
                                "RUN --mount=type=secret,id=s,target=/stub/secret true\n",
                            {"--secret", "id=s,src=" + outside() + "/victim"}),
              ExitsWith(0));
  expect_untouched();
}

TEST_F(BuildSec, Sec23_PrivilegesNeedTheCallersWord) {
  const auto denied = AllOf(HasSubstr("is not allowed"), HasSubstr("--allow"));
  EXPECT_THAT(build_context("FROM test\nRUN --security=insecure true\n").err, denied);
  EXPECT_THAT(build_context("FROM test\nRUN --network=host true\n").err, denied);
  EXPECT_THAT(
      build_context("FROM test\nRUN --network=host true\n", {"--allow", "security.insecure"}).err,
      denied);
  must_build("FROM test\nONBUILD RUN --security=insecure true\n", {}, "parent");
  EXPECT_THAT(build_context("FROM parent\n").err, denied);
  write("ctx/Dockerfile", "FROM test\nRUN --security=insecure true\n");
  manifest("services: {a: {build: ./ctx}}\n");
  EXPECT_THAT(stack({"up", "-d"}).err, denied);
  EXPECT_THAT(build_context("FROM test\nRUN --security=insecure mount -t tmpfs none /mnt || mkdir "
                            "/mnt && mount -t tmpfs none /mnt\n",
                            {"--allow", "security.insecure"}),
              ExitsWith(0));
}

TEST_F(BuildSec, Sec24_SourcesStayInTheirRoots) {
  ASSERT_EQ(::symlink("/", (directory() + "/ctx/root").c_str()), 0);
  ASSERT_EQ(::symlink(outside().c_str(), (directory() + "/ctx/out").c_str()), 0);
  write("ctx/mine", "mine\n");
  const std::string list = " ls /m > /listed\n";
  EXPECT_THAT(build_context("FROM test\nRUN --mount=source=root,target=/m" + list), ExitsWith(0));
  EXPECT_THAT(in_image("cat /listed"), AllOf(HasSubstr("mine"), Not(HasSubstr("etc"))));
  EXPECT_THAT(build_context("FROM test\nRUN --mount=source=out,target=/m" + list).err,
              HasSubstr("not found"));
  EXPECT_THAT(build_context("FROM test AS a\nRUN ln -s / /up && ln -s " + outside() +
                            " /out\nFROM test\nRUN --mount=from=a,source=up,target=/m" + list),
              ExitsWith(0));
  EXPECT_THAT(in_image("cat /listed"), AllOf(HasSubstr("seed"), Not(HasSubstr("boot"))));
  EXPECT_THAT(build_context("FROM test AS a\nRUN ln -s " + outside() +
                            " /out\nFROM test\nCOPY --from=a /out/victim /x\n")
                  .err,
              HasSubstr("not found"));
  // Options that nobody may add, ids that are no paths, a Dockerfile that is a link.
  EXPECT_THAT(build_context("FROM test\nRUN --mount=target=/m,bind-propagation=rshared true\n"),
              ExitsWith(1));
  EXPECT_THAT(build_context("FROM test\nRUN --mount=type=cache,target=/m,id=../../../victim "
                            "touch /m/x\n"),
              ExitsWith(0));
  for (const std::string& name : os::list_directory(data_directory() + "/cache/mounts"))
    EXPECT_EQ(name.find_first_not_of("0123456789abcdef"), name.find('.')) << name;
  ::unlink((directory() + "/ctx/Dockerfile").c_str());
  ASSERT_EQ(::symlink("../outside/victim", (directory() + "/ctx/Dockerfile").c_str()), 0);
  EXPECT_THAT(stack({"build", "-t", "made", directory() + "/ctx"}).err,
              AllOf(HasSubstr("no Dockerfile"), Not(HasSubstr("old"))));
  expect_untouched();
}

}  // namespace
}  // namespace e2e
