#include "runtime/image/decompressor.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>

#include "runtime/os/error.hpp"
#include "tests/unit/runtime/image/compress.hpp"
#include "tests/unit/runtime/image/layer_fixture.hpp"

namespace image {
namespace {

std::string all_of(Decompressor& stream) {
  std::string result;
  for (auto bytes = stream.next(); !bytes.empty(); bytes = stream.next()) result += bytes;
  return result;
}

std::string noise(std::size_t size) {
  std::string text(size, '\0');
  unsigned state = 1;
  for (char& c : text) c = static_cast<char>((state = state * 1103515245 + 12345) >> 24U);
  return text;
}

class DecompressorTest : public testing::TestWithParam<std::string> {};

TEST_P(DecompressorTest, GivesBackWhatWentIn) {
  const std::string data = noise(300'000);
  for (const std::size_t step : {std::size_t{1}, std::size_t{7}, std::size_t{100'000}}) {
    Decompressor stream(source_of(compress(data, GetParam()), step), 250);
    EXPECT_EQ(stream.compression(), GetParam());
    EXPECT_EQ(all_of(stream), data);
  }
}

TEST_P(DecompressorTest, NoticesDamage) {
  if (GetParam().empty()) return;
  const std::string compressed = compress(noise(100'000), GetParam());
  Decompressor cut(source_of(compressed.substr(0, compressed.size() / 2)), 250);
  EXPECT_THROW(all_of(cut), os::Error);
}

TEST_P(DecompressorTest, StopsABomb) {
  if (GetParam().empty()) return;
  const std::string bomb = compress(std::string(100 << 20, '\0'), GetParam());
  Decompressor stream(source_of(bomb), 250);
  EXPECT_THROW(all_of(stream), os::Error);
}

INSTANTIATE_TEST_SUITE_P(Formats, DecompressorTest,
                         testing::Values("", "gzip", "zstd", "xz", "bzip2"));

TEST(Decompressor, TakesSeveralMembersAndSkippableFrames) {
  Decompressor members(source_of(compress("one", "gzip") + compress("two", "gzip")), 250);
  EXPECT_EQ(all_of(members), "onetwo");
  const std::string skippable("\x5e\x2a\x4d\x18\x03\0\0\0abc", 11);
  Decompressor frames(
      source_of(skippable + compress("one", "zstd") + skippable + compress("two", "zstd")), 250);
  EXPECT_EQ(all_of(frames), "onetwo");
}

TEST(Decompressor, ReadsTheSourceToItsEnd) {
  std::size_t given = 0;
  const std::string bytes = compress("x", "gzip") + std::string(100'000, 'z');
  ByteSource counted = [&, inner = source_of(bytes)]() mutable {
    const std::string_view piece = inner();
    given += piece.size();
    return piece;
  };
  Decompressor stream(counted, 250);
  EXPECT_EQ(all_of(stream), "x");
  EXPECT_EQ(given, bytes.size());
}

TEST(Decompressor, AnEmptyStreamIsEmpty) {
  Decompressor stream(source_of(""), 250);
  EXPECT_EQ(all_of(stream), "");
}

TEST(Decompressor, PassesTheSourcesFailureOn) {
  const std::string start = compress(noise(100'000), "gzip").substr(0, 1000);
  Decompressor stream(
      [&, given = false]() mutable -> std::string_view {
        if (std::exchange(given, true)) throw os::Error(EIO, "read the pipe");
        return start;
      },
      250);
  try {
    all_of(stream);
    FAIL();
  } catch (const os::Error& error) {
    EXPECT_EQ(error.code(), EIO);
  }
}

}  // namespace
}  // namespace image
