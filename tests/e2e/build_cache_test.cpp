// Caches that builds on several machines share: in a registry, in a directory.
#include <filesystem>

#include "tests/e2e/build_fixture.hpp"
#include "tests/support/registry_server.hpp"

namespace e2e {
namespace {

using support::RegistryServer;

class BuildCacheTest : public BuildTest {
 protected:
  /// As on a machine that has never built this.
  void forget() {
    must({"rmi", "made"});
    const std::string records = data_directory() + "/images/cache";
    for (const std::string& key : os::list_directory(records))
      ASSERT_EQ(::unlink((records + "/" + key).c_str()), 0);
    std::filesystem::remove_all(data_directory() + "/cache/mounts");
    must({"prune", "--force"});
  }
};

constexpr const char* kFile =
    "FROM test AS first\nRUN date +%N > /made\n"
    "FROM test\nCOPY --from=first /made /made\nRUN mkdir /d && date +%N > /d/f && rm -r /seed\n";

TEST_F(BuildCacheTest, TravelsThroughARegistry) {
  RegistryServer registry;
  const std::string name = registry.host() + "/team/cache:main";
  const Output first = must_build(kFile, {"--cache-to", "type=registry,mode=max,ref=" + name});
  EXPECT_THAT(first.err, HasSubstr("exporting cache to " + name));
  forget();
  const Output second = must_build(kFile, {"--cache-from", name});
  EXPECT_EQ(second.out, first.out) << second.err;
  EXPECT_THAT(second.err, AllOf(HasSubstr("importing cache from " + name), HasSubstr("CACHED")));
  EXPECT_EQ(in_image("ls -d /seed /d/f 2>/dev/null; true"), "/d/f\n");
  EXPECT_THAT(must({"doctor"}), HasSubstr("all is well"));
  EXPECT_THAT(os::list_directory(data_directory() + "/images/downloads"), IsEmpty());
  // Where only the first step is the same the rest runs.
  forget();
  const Output third = must_build(std::string(kFile) + "RUN echo more > /more\n",
                                  {"--cache-from", "type=registry,ref=" + name});
  EXPECT_THAT(third.err, HasSubstr("CACHED"));
  EXPECT_EQ(in_image("cat /more"), "more\n");
}

TEST_F(BuildCacheTest, WhatIsNoCacheIsAWarning) {
  RegistryServer registry;
  const std::string image = registry.host() + "/app:1";
  must({"tag", "test", image});
  must({"push", image});
  EXPECT_THAT(must_build(kFile, {"--cache-from", image}).err,
              HasSubstr("is no build cache that stack has made"));
  EXPECT_THAT(must_build(kFile, {"--cache-from", registry.host() + "/nothing"}).err,
              HasSubstr("warning: no cache from"));
  EXPECT_THAT(must_build(kFile, {"--cache-from", "type=local,src=nothing"}).err,
              HasSubstr("warning: no cache from"));
}

TEST_F(BuildCacheTest, ACacheThatCannotBeWrittenIsAFailure) {
  const std::string nobody = "localhost:1/cache";
  EXPECT_THAT(build(kFile, {"--cache-to", nobody}), ExitsWith(1));
  EXPECT_THAT(
      must_build(kFile, {"--cache-to", "type=registry,ignore-error=true,ref=" + nobody}).err,
      HasSubstr("warning: no cache written"));
}

TEST_F(BuildCacheTest, MountsTravelIfAsked) {
  RegistryServer registry;
  const std::string directory = this->directory() + "/cache";
  const std::string file =
      "FROM test\nRUN --mount=type=cache,target=/c echo once >> /c/log && "
      "touch -d @981158400 /c/old && ln -s log /c/link\n";
  const std::string look =
      "FROM test\nRUN --mount=type=cache,target=/c cat /c/link > /seen; stat -c %Y /c/old >> "
      "/seen\n";
  for (const auto& [to, from] :
       {std::pair{"type=registry,ref=" + registry.host() + "/c",
                  "type=registry,ref=" + registry.host() + "/c"},
        std::pair{"type=local,dest=" + directory, "type=local,src=" + directory}}) {
    must_build(file, {"--no-cache", "--cache-to", to + ",mounts=true"});
    forget();
    must_build(look, {"--no-cache", "--cache-from", from});
    EXPECT_EQ(in_image("cat /seen"), "once\n981158400\n") << from;
    forget();
  }
  // Without being asked for they stay at home.
  const std::string plain = this->directory() + "/plain";
  must_build(file, {"--no-cache", "--cache-to", "type=local,dest=" + plain});
  EXPECT_FALSE(os::exists(plain + "/mounts"));
}

TEST_F(BuildCacheTest, AForgedLayerIsNotTaken) {
  const std::string cache = directory() + "/cache";
  const std::string file = "FROM test\nRUN date +%N > /made\n";
  const Output first = must_build(file, {"--cache-to", "type=local,dest=" + cache});
  forget();
  for (const std::string& blob : os::list_directory(cache + "/blobs/sha256"))
    os::write_file_atomic(cache + "/blobs/sha256/" + blob, "not that layer");
  const Output second = must_build(file, {"--cache-from", "type=local,src=" + cache});
  EXPECT_THAT(second.err, Not(HasSubstr("CACHED")));
  EXPECT_NE(second.out, first.out);
  // Nor one without an end, which would fill the disk before its digest is known to be wrong.
  forget();
  for (const std::string& blob : os::list_directory(cache + "/blobs/sha256"))
    std::filesystem::resize_file(cache + "/blobs/sha256/" + blob, std::uintmax_t{1} << 40);
  EXPECT_THAT(must_build(file, {"--cache-from", "type=local,src=" + cache}).err,
              Not(HasSubstr("CACHED")));
  EXPECT_THAT(must({"doctor"}), HasSubstr("all is well"));
}

}  // namespace
}  // namespace e2e
