#include "runtime/image/decompressor.hpp"

#include <unistd.h>

#include <array>
#include <vector>

#include "runtime/os/error.hpp"

namespace image {

namespace {

constexpr std::size_t kChunk = 256 * 1024;
/// Small archives may compress as well as they like.
constexpr std::int64_t kRatioFrom = std::int64_t{64} << 20;

/// zstd's skippable frames, which a zstd stream may begin with (RFC 8878, 3.1.2).
bool is_skippable_frame(std::string_view bytes) {
  return bytes.size() >= 4 && (static_cast<unsigned char>(bytes[0]) & 0xf0U) == 0x50U &&
         bytes.substr(1, 3) == "\x2a\x4d\x18";
}

}  // namespace

ByteSource read_source(int fd, std::string name) {
  auto buffer = std::make_shared<std::vector<char>>(kChunk);
  return [fd, name = std::move(name), buffer]() -> std::string_view {
    ssize_t n = 0;
    do {
      n = ::read(fd, buffer->data(), buffer->size());
    } while (n < 0 && errno == EINTR);
    os::check(n, [&] { return "read '" + name + "'"; });
    return {buffer->data(), static_cast<std::size_t>(n)};
  };
}

std::string detect_compression(std::string_view bytes) {
  if (bytes.starts_with("\x1f\x8b")) return "gzip";
  if (bytes.starts_with("\x28\xb5\x2f\xfd") || is_skippable_frame(bytes)) return "zstd";
  if (bytes.starts_with(std::string_view("\xfd"
                                         "7zXZ\0",
                                         6)))
    return "xz";
  if (bytes.starts_with("BZh")) return "bzip2";
  return "";
}

Decompressor::Decompressor(ByteSource source, std::int64_t max_ratio)
    : source_(std::move(source)), max_ratio_(max_ratio) {
  while (head_.size() < kMagicLength) {
    const std::string_view bytes = source_();
    if (bytes.empty()) break;
    head_ += bytes;
  }
  consumed_ = static_cast<std::int64_t>(head_.size());
  compression_ = detect_compression(head_);
  if (compression_.empty()) return;
  decoder_ = make_decoder(compression_);
  output_.resize(kChunk);
}

Decompressor::~Decompressor() = default;

std::string_view Decompressor::pull() {
  if (!head_given_) {
    head_given_ = true;
    if (!head_.empty()) return head_;
  }
  const std::string_view bytes = source_();
  consumed_ += static_cast<std::int64_t>(bytes.size());
  return bytes;
}

void Decompressor::count(std::size_t produced) {
  produced_ += static_cast<std::int64_t>(produced);
  if (produced_ > kRatioFrom && produced_ / max_ratio_ > consumed_)
    throw os::Error(EFBIG, "unpack data compressed more than " + std::to_string(max_ratio_) +
                               " to 1, which real archives are not");
}

bool Decompressor::begin_member() {
  // The magic may be cut in two by the end of a piece.
  while (input_.size() < kMagicLength) {
    std::string joined(input_);
    const std::string_view more = pull();
    if (more.empty()) break;
    joined += more;
    joined_ = std::move(joined);
    input_ = joined_;
  }
  if (detect_compression(input_) != compression_) return false;
  decoder_->start();
  return true;
}

void Decompressor::drain() {
  while (!pull().empty()) {
  }
  ended_ = true;
}

std::string_view Decompressor::next() {
  if (!decoder_) return pull();
  while (!ended_) {
    if (decoder_->done() && !begin_member()) {
      drain();
      break;
    }
    const std::size_t before = input_.size();
    const std::size_t size = decoder_->decode(input_, output_.data(), output_.size());
    if (size > 0) {
      count(size);
      return {output_.data(), size};
    }
    if (decoder_->done() || input_.size() != before) continue;
    input_ = pull();
    if (input_.empty()) throw os::Error("decompress " + compression_ + ": it ends too early");
  }
  return {};
}

}  // namespace image
