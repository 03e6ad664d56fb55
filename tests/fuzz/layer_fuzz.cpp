// Any bytes as the layer of an image, unpacked above a layer whose links lead everywhere. Besides
// memory errors it looks for anything that appears or changes outside of the layer's directory, and
// for limits that do not hold. tests/fuzz/run makes everything else read-only.
//
// Header checksums are put right first, or else hardly an input would reach the entries; what
// starts like a compressed stream stays as it is.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/image/layer.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"
#include "tests/fuzz/require.hpp"

namespace {

namespace fs = std::filesystem;
using fuzz::require;

constexpr std::size_t kBlock = 512;
constexpr image::Limits kLimits{
    .bytes = 1 << 20, .entries = 200, .ratio = 50, .path = 1024, .depth = 32};

std::string scratch() {
  const char* given = std::getenv("FUZZ_SCRATCH");
  return given != nullptr ? given : fs::temp_directory_path().string();
}

/// The directories that one process works in.
struct Ground {
  std::string root = scratch() + "/layer-fuzz";
  std::string outside = root + "/outside";
  std::string lower = root + "/lower";
  std::string layer = root + "/layer";

  Ground() {
    fs::remove_all(root);
    fs::create_directories(outside);
    fs::create_directories(lower + "/etc/deep");
    os::write_file_atomic(outside + "/canary", "alive", 0644);
    os::write_file_atomic(lower + "/etc/file", "below", 0644);
    fs::create_symlink("../outside", lower + "/up");
    fs::create_symlink(outside, lower + "/absolute");
    fs::create_symlink("../../../../outside/canary", lower + "/etc/canary");
    fs::create_symlink("loop", lower + "/loop");
    fs::create_symlink("etc", lower + "/inside");
  }

  void expect_untouched() const {
    const auto names = os::list_directory(root);
    require(names.size() == 3);
    require(os::list_directory(outside) == std::vector<std::string>{"canary"});
    require(os::read_file(outside + "/canary") == "alive");
    struct stat status {};
    require(::stat((outside + "/canary").c_str(), &status) == 0);
    require(status.st_nlink == 1 && (status.st_mode & 07777) == 0644 &&
            status.st_uid == ::geteuid());
    require(::stat(outside.c_str(), &status) == 0 && (status.st_mode & 07777) == 0755);
    require(os::list_directory(lower).size() == 5 &&
            os::list_directory(lower + "/etc").size() == 3);
    require(os::read_file(lower + "/etc/file") == "below");
  }

  void expect_within_limits() const {
    std::int64_t entries = 0;
    std::int64_t bytes = 0;
    for (const auto& entry : fs::recursive_directory_iterator(layer)) {
      ++entries;
      if (entry.is_regular_file() && !entry.is_symlink())
        bytes += static_cast<std::int64_t>(entry.file_size());
    }
    // Parents that an entry does not name are made too.
    require(entries <= kLimits.entries * static_cast<std::int64_t>(kLimits.depth));
    require(bytes <= kLimits.bytes * kLimits.entries);
  }
};

std::size_t octal(std::string_view field) {
  std::size_t value = 0;
  for (const char c : field) {
    if (c < '0' || c > '7') break;
    value = value * 8 + static_cast<std::size_t>(c - '0');
  }
  return value;
}

void put_checksums_right(std::string& tar) {
  for (std::size_t at = 0; at + kBlock <= tar.size();) {
    char* header = tar.data() + at;
    if (std::all_of(header, header + kBlock, [](char c) { return c == 0; })) return;
    std::fill_n(header + 148, 8, ' ');
    unsigned sum = 0;
    for (std::size_t i = 0; i < kBlock; ++i) sum += static_cast<unsigned char>(header[i]);
    for (int i = 5; i >= 0; --i, sum /= 8) header[148 + i] = static_cast<char>('0' + sum % 8);
    header[154] = '\0';
    const std::size_t size = octal(std::string_view(header + 124, 11));
    const std::size_t blocks = (std::min(size, tar.size()) + kBlock - 1) / kBlock;
    at += kBlock * (1 + blocks);
  }
}

void unpack(const Ground& ground, const std::string& bytes, bool above) {
  fs::create_directory(ground.layer);
  const os::UniqueFd directory = os::open_file(ground.layer, O_RDONLY | O_DIRECTORY);
  std::vector<std::string> below;
  if (above) below.push_back(ground.lower);
  std::size_t offset = 0;
  const image::ByteSource source = [&] {
    const std::string_view piece = std::string_view(bytes).substr(offset, 1000);
    offset += piece.size();
    return piece;
  };
  try {
    image::unpack_layer(directory.get(), image::LayerStack(below), source, kLimits);
  } catch (const os::Error& error) {
    require(error.code() != EROFS && error.code() != EACCES);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Ground ground;
  std::string bytes(reinterpret_cast<const char*>(data), size);
  if (image::detect_compression(std::string_view(bytes).substr(0, image::kMagicLength)).empty())
    put_checksums_right(bytes);
  for (const bool above : {false, true}) {
    unpack(ground, bytes, above);
    ground.expect_untouched();
    ground.expect_within_limits();
    fs::remove_all(ground.layer);
  }
  return 0;
}
