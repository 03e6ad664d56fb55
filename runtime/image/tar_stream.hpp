// The entries of a tar stream, compressed or not, with the limits that foreign archives are held to
// and the digest of all that passes.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/image/decompressor.hpp"
#include "runtime/image/digest.hpp"
#include "runtime/image/limits.hpp"

struct archive;
struct archive_entry;

namespace image {

class TarStream {
 public:
  TarStream(ByteSource source, const Limits& limits);
  TarStream(const TarStream&) = delete;
  TarStream& operator=(const TarStream&) = delete;
  ~TarStream();

  /// The next entry, null at the end; it lives until the next call. Throws os::Error when the
  /// stream is no tar, is damaged or passes a limit.
  archive_entry* next();

  struct Block {
    std::string_view data;
    std::int64_t offset = 0;  ///< in the file: holes are left out
  };
  /// The next piece of the current entry's content.
  std::optional<Block> next_block();

  /// Reads what follows the last entry, so that digest and source are complete.
  void finish();

  /// Of the uncompressed stream; once, after finish().
  Digest digest() { return hasher_.finish(); }
  std::int64_t bytes() const noexcept { return bytes_; }
  std::int64_t entries() const noexcept { return entries_; }
  const std::string& compression() const noexcept { return decompressor_.compression(); }

 private:
  struct Free {
    void operator()(archive* reader) const noexcept;
  };

  static ssize_t read_callback(archive* reader, void* self, const void** buffer);
  std::string_view pull();
  [[noreturn]] void fail(const char* tried);

  Decompressor decompressor_;
  Limits limits_;
  Hasher hasher_;
  std::int64_t bytes_ = 0;
  std::int64_t entries_ = 0;
  std::unique_ptr<archive, Free> reader_;
  std::exception_ptr failure_;
};

/// The names of an archive are bytes. libarchive converts those of pax headers from UTF-8 to the
/// thread's locale and back to bytes, which loses nothing in a UTF-8 locale: this sets one for the
/// thread while it lives.
class Utf8Locale {
 public:
  Utf8Locale();
  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;
  ~Utf8Locale();

 private:
  void* locale_;
  void* before_;
};

}  // namespace image
