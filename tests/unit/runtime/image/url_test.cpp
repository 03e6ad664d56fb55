#include "runtime/image/url.hpp"

#include <gtest/gtest.h>

#include "runtime/os/error.hpp"

namespace image {
namespace {

TEST(UrlTest, ReadsItsParts) {
  const Url url = Url::parse("HTTPS://Registry.Example:5000/v2/a?b=c#d");
  EXPECT_EQ(url.scheme, "https");
  EXPECT_EQ(url.host, "registry.example:5000");
  EXPECT_EQ(url.host_name(), "registry.example");
  EXPECT_EQ(url.target, "/v2/a?b=c");
  EXPECT_EQ(Url::parse("https://h").text(), "https://h/");
  EXPECT_EQ(Url::parse("https://h?x=1").target, "/?x=1");
}

TEST(UrlTest, TheSchemesOwnPortIsNone) {
  EXPECT_EQ(Url::parse("https://h:443/").host, "h");
  EXPECT_EQ(Url::parse("http://h:80/").host, "h");
  EXPECT_EQ(Url::parse("http://h:443/").host, "h:443");
  EXPECT_EQ(Url::parse("http://[::1]:5000/").host_name(), "[::1]");
}

TEST(UrlTest, RefusesWhatIsNoPlace) {
  for (const char* bad : {"", "h/path", "ftp://h/", "file:///etc/passwd", "http://",
                          "http://u:p@h/", "http://h /", "http://h/\r\nX: y", "http://h\\x/"})
    EXPECT_THROW(Url::parse(bad), os::Error) << bad;
}

TEST(UrlTest, ResolvesLocations) {
  const Url base = Url::parse("https://h/v2/a/blobs/uploads/?x=1");
  EXPECT_EQ(base.resolve("/v2/b?y=2").text(), "https://h/v2/b?y=2");
  EXPECT_EQ(base.resolve("http://other/z").text(), "http://other/z");
  EXPECT_EQ(base.resolve("//other/z").text(), "https://other/z");
  EXPECT_EQ(base.resolve("id").text(), "https://h/v2/a/blobs/uploads/id");
  EXPECT_EQ(base.resolve("../../c").text(), "https://h/v2/a/c");
  EXPECT_EQ(base.resolve("/../../../c").text(), "https://h/c");
  EXPECT_EQ(base.resolve("?y=2").text(), "https://h/v2/a/blobs/uploads/?y=2");
  EXPECT_THROW(base.resolve("javascript:x"), os::Error);
}

TEST(UrlTest, AddsToTheQuery) {
  Url url = Url::parse("https://h/a");
  url.add_query("scope", "repository:a/b:pull");
  url.add_query("n", "1 2");
  EXPECT_EQ(url.target, "/a?scope=repository%3Aa%2Fb%3Apull&n=1%202");
}

TEST(UrlTest, KnowsThisMachine) {
  for (const char* here : {"localhost", "localhost:5000", "127.0.0.1", "127.9.9.9:1", "[::1]:5000"})
    EXPECT_TRUE(is_loopback(here)) << here;
  for (const char* there :
       {"localhost.example", "127.0.0.1.example", "128.0.0.1", "[::2]", "h", "127.0.0.1x"})
    EXPECT_FALSE(is_loopback(there)) << there;
}

}  // namespace
}  // namespace image
