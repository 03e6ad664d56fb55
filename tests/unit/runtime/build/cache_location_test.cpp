#include "runtime/build/cache_location.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/os/error.hpp"

namespace build {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(CacheLocation, ANameAloneIsARegistry) {
  const auto location = parse_cache_location("host:5000/app", CacheUse::from, "/p");
  ASSERT_TRUE(location);
  EXPECT_EQ(location->kind, CacheLocation::Kind::registry);
  EXPECT_EQ(location->place, "host:5000/app:latest");
  EXPECT_FALSE(location->mounts);
}

TEST(CacheLocation, ADirectoryIsRelativeToTheProject) {
  const auto from = parse_cache_location("type=local,src=c,mounts=true", CacheUse::from, "/p");
  EXPECT_EQ(from, (CacheLocation{CacheLocation::Kind::directory, "/p/c", true, false}));
  const auto to =
      parse_cache_location("type=local,dest=/c,mode=max,ignore-error=true", CacheUse::to, "/p");
  EXPECT_EQ(to, (CacheLocation{CacheLocation::Kind::directory, "/c", false, true}));
}

TEST(CacheLocation, UnknownTypesAreNone) {
  EXPECT_FALSE(parse_cache_location("type=gha,scope=x", CacheUse::to, "/p"));
  EXPECT_FALSE(parse_cache_location("type=inline", CacheUse::to, "/p"));
}

TEST(CacheLocation, MistakesNameTheEntry) {
  const auto fails = [](const std::string& entry, const std::string& why) {
    EXPECT_THAT(
        [&] { parse_cache_location(entry, CacheUse::to, "/p"); },
        ThrowsMessage<os::Error>(AllOf(HasSubstr("cache_to '" + entry + "'"), HasSubstr(why))));
  };
  fails("type=local,src=/c", "'dest=' is missing");
  fails("type=registry", "'ref=' is missing");
  fails("ref=x", "'type=' is missing");
  fails("type=registry,ref=x/UPPER", "UPPER");
  fails("type=local,dest=c,mounts=yes", "mounts is true or false");
}

}  // namespace
}  // namespace build
