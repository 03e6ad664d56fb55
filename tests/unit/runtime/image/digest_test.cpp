#include "runtime/image/digest.hpp"

#include <gtest/gtest.h>

#include "runtime/os/error.hpp"

namespace image {
namespace {

constexpr const char* kEmpty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

TEST(Digest, OfKnownBytes) {
  EXPECT_EQ(Digest::of("").hex(), kEmpty);
  EXPECT_EQ(Digest::of("{}").text(),
            "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
  EXPECT_EQ(Digest::of("").short_id(), "e3b0c44298fc");
}

TEST(Digest, HasherTakesPiecesAndStartsAnew) {
  Hasher hasher;
  hasher.update("{");
  hasher.update("}");
  EXPECT_EQ(hasher.finish(), Digest::of("{}"));
  EXPECT_EQ(hasher.finish(), Digest::of(""));
}

TEST(Digest, ParsesOnlyTheCanonicalForm) {
  const std::string hex = Digest::of("").hex();
  EXPECT_EQ(Digest::parse("sha256:" + hex), Digest::of(""));
  std::vector<std::string> bad{"", hex, "sha512:" + hex, "SHA256:" + hex};
  bad.push_back("sha256:" + hex + "0");
  bad.push_back("sha256:" + hex.substr(1));
  bad.push_back("sha256:E" + hex.substr(1));
  bad.push_back("sha256:/" + hex.substr(1));
  for (const std::string& text : bad) EXPECT_THROW(Digest::parse(text), os::Error) << text;
}

TEST(Digest, ChainIdFollowsTheSpecification) {
  const Digest first = Digest::of("a");
  const Digest second = Digest::of("b");
  EXPECT_EQ(chain_id(Digest(), first), first);
  EXPECT_EQ(chain_id(first, second), Digest::of(first.text() + " " + second.text()));
}

}  // namespace
}  // namespace image
