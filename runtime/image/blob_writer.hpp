// A blob on its way into the store: written to a temporary file and hashed as it comes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/image/decompressor.hpp"
#include "runtime/image/digest.hpp"
#include "runtime/os/fd.hpp"

namespace image {

/// A complete file and what it holds.
struct StagedFile {
  std::string path;
  Digest digest;
  std::int64_t size = 0;
};

class BlobWriter {
 public:
  /// Makes the file at `path`, mode 0600.
  explicit BlobWriter(std::string path);
  void write(std::string_view data);
  /// Passes `source` on and writes all that passes. The writer must outlive it.
  ByteSource tee(ByteSource source);
  StagedFile finish();

 private:
  std::string path_;
  os::UniqueFd fd_;
  Hasher hasher_;
  std::int64_t size_ = 0;
};

}  // namespace image
