// The compression formats of layers, one member of a stream at a time.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace image {

/// Decodes one member: a gzip member, a zstd frame, an xz stream, a bzip2 stream.
class Decoder {
 public:
  virtual ~Decoder() = default;
  Decoder() = default;
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  /// Begins a member.
  virtual void start() = 0;
  /// Takes bytes off `input` and writes at most `size` to `output`; how many. Nothing taken and
  /// nothing written: it needs more input. Throws os::Error when the bytes are damaged.
  virtual std::size_t decode(std::string_view& input, char* output, std::size_t size) = 0;
  /// Whether the member is over; what is left of the input is no part of it.
  bool done() const { return done_; }

 protected:
  bool done_ = false;
};

/// `compression`: "gzip", "zstd", "xz" or "bzip2". Started.
std::unique_ptr<Decoder> make_decoder(const std::string& compression);

}  // namespace image
