// A stream of bytes, and its decompression: gzip, zstd, xz, bzip2 or none, told by content, for
// labels lie.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/image/decoder.hpp"

namespace image {

/// Gives the next bytes of a stream, valid until the next call; none at its end.
using ByteSource = std::function<std::string_view()>;

/// Reads a descriptor (a file, a pipe) from where it is; `name` is for messages. The descriptor
/// must outlive the source.
ByteSource read_source(int fd, std::string name);

/// How many first bytes tell the compression.
inline constexpr std::size_t kMagicLength = 6;
/// The compression that a stream with these first bytes has: "", "gzip", "zstd", "xz", "bzip2".
std::string detect_compression(std::string_view first_bytes);

class Decompressor {
 public:
  /// `max_ratio`: how many times more may come out than goes in, once 64 MiB have come out.
  Decompressor(ByteSource source, std::int64_t max_ratio);
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;
  ~Decompressor();

  /// The next uncompressed bytes, none at the end; the source has then been read to its own end.
  /// Throws os::Error when the stream is damaged, or compressed further than real archives are.
  std::string_view next();

  const std::string& compression() const noexcept { return compression_; }

 private:
  std::string_view pull();
  void count(std::size_t produced);
  /// Whether another member follows, which is then started.
  bool begin_member();
  void drain();

  ByteSource source_;
  std::string head_;  ///< what was read to tell the compression
  bool head_given_ = false;
  std::string compression_;
  std::int64_t max_ratio_;
  std::int64_t consumed_ = 0;
  std::int64_t produced_ = 0;
  std::unique_ptr<Decoder> decoder_;  ///< none: the stream is not compressed
  std::string_view input_;            ///< what is not yet decoded, of the source's last piece
  std::string joined_;                ///< several pieces, when one is too short
  std::vector<char> output_;
  bool ended_ = false;
};

}  // namespace image
