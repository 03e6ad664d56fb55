#include "runtime/image/manifest.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/os/error.hpp"

namespace image {
namespace {

Descriptor descriptor(const std::string& content, std::string_view type) {
  return {std::string(type),
          Digest::of(content),
          static_cast<std::int64_t>(content.size()),
          std::nullopt,
          {}};
}

Descriptor for_platform(const std::string& content, const std::string& platform) {
  Descriptor result = descriptor(content, media_type::kManifest);
  result.platform = parse_platform(platform);
  return result;
}

TEST(Manifest, RoundTrip) {
  Manifest manifest;
  manifest.config = descriptor("c", media_type::kConfig);
  manifest.layers = {descriptor("1", media_type::kLayer), descriptor("2", "other/type")};
  manifest.layers[0].annotations = {{"a", "b"}};
  manifest.annotations = {{"x", "y"}};
  EXPECT_EQ(parse_manifest(format_manifest(manifest)), manifest);

  Index index;
  index.manifests = {for_platform("m", "linux/arm/v6"), descriptor("n", media_type::kManifest)};
  EXPECT_EQ(parse_index(format_index(index)), index);
}

TEST(Manifest, RefusesOtherSchemasAndTypes) {
  const std::string config =
      R"("config":{"mediaType":"t","digest":")" + Digest::of("").text() + R"(","size":0})";
  EXPECT_NO_THROW(parse_manifest(R"({"schemaVersion":2,)" + config + R"(,"layers":[]})"));
  for (const std::string& bad : std::vector<std::string>{
           R"({"schemaVersion":1,"name":"x"})", R"({"schemaVersion":2})", R"({)" + config + "}",
           R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json",)" + config +
               "}",
           R"({"schemaVersion":2,"config":{"digest":"sha256:../../x","size":1}})",
           R"({"schemaVersion":2,"config":{"digest":")" + Digest::of("").text() +
               R"(","size":-1}})",
           R"({"schemaVersion":2,)" + config + R"(,"layers":[1]})"})
    EXPECT_THROW(parse_manifest(bad), os::Error) << bad;
}

TEST(Index, ChoosesTheFirstOfTheBestRank) {
  Index index;
  Descriptor attestation = for_platform("a", "unknown/unknown");
  attestation.annotations["vnd.docker.reference.type"] = "attestation-manifest";
  index.manifests = {attestation, for_platform("386", "linux/386"),
                     for_platform("arm", "linux/arm64"), for_platform("first", "linux/amd64"),
                     for_platform("second", "linux/amd64")};
  EXPECT_EQ(choose_platform(index, parse_platform("linux/amd64")).digest, Digest::of("first"));
  EXPECT_EQ(choose_platform(index, parse_platform("linux/arm64")).digest, Digest::of("arm"));
  try {
    choose_platform(index, parse_platform("linux/riscv64"));
    FAIL();
  } catch (const os::Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("linux/386, linux/arm64, linux/amd64"));
    EXPECT_THAT(error.what(), testing::Not(testing::HasSubstr("unknown")));
  }
}

TEST(Index, AnEntryWithoutPlatformComesLast) {
  Index index;
  index.manifests = {descriptor("unnamed", media_type::kManifest),
                     for_platform("386", "linux/386")};
  EXPECT_EQ(choose_platform(index, parse_platform("linux/amd64")).digest, Digest::of("386"));
  EXPECT_EQ(choose_platform(index, parse_platform("linux/arm64")).digest, Digest::of("unnamed"));
}

}  // namespace
}  // namespace image
