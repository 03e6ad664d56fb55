#include "runtime/build/archive_file.hpp"

#include <fcntl.h>

#include <cstdint>
#include <string_view>

#include "runtime/image/decompressor.hpp"
#include "runtime/image/layer.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace build {

namespace {

/// Whether the first bytes of a plain stream are a tar header: its checksum says so.
bool is_tar_header(std::string_view block) {
  if (block.size() < 512) return false;
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < 512; ++i)
    sum += i >= 148 && i < 156 ? std::uint64_t{' '} : static_cast<unsigned char>(block[i]);
  std::uint64_t said = 0;
  bool digits = false;
  for (const char c : block.substr(148, 8)) {
    if (c < '0' || c > '7') {
      if (digits) break;
      continue;
    }
    digits = true;
    said = said * 8 + static_cast<std::uint64_t>(c - '0');
  }
  return digits && said == sum;
}

}  // namespace

bool is_archive(int fd) {
  try {
    image::Decompressor stream(image::read_source(fd, "the archive"), image::Limits{}.ratio);
    std::string head;
    while (head.size() < 512) {
      const std::string_view more = stream.next();
      if (more.empty()) break;
      head += more;
    }
    return is_tar_header(head);
  } catch (const os::Error&) {
    return false;  // damaged, or no archive at all: a file like any other
  }
}

void unpack_archive(int fd, const std::string& name, const std::string& directory) {
  os::make_directories(directory, 0700);
  const os::UniqueFd target = os::open_file(directory, O_RDONLY | O_DIRECTORY);
  image::unpack_layer(target.get(), image::LayerStack({}), image::read_source(fd, name), {});
}

}  // namespace build
