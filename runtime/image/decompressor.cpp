#include "runtime/image/decompressor.hpp"

#include <archive.h>
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

int filter_of(const std::string& compression) {
  if (compression == "gzip") return ARCHIVE_FILTER_GZIP;
  if (compression == "zstd") return ARCHIVE_FILTER_ZSTD;
  if (compression == "xz") return ARCHIVE_FILTER_XZ;
  return ARCHIVE_FILTER_BZIP2;
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

void Decompressor::Free::operator()(archive* reader) const noexcept { archive_read_free(reader); }

Decompressor::Decompressor(ByteSource source, std::int64_t max_ratio)
    : source_(std::move(source)), max_ratio_(max_ratio) {
  while (head_.size() < kMagicLength) {
    const std::string_view bytes = source_();
    if (bytes.empty()) break;
    head_ += bytes;
  }
  consumed_ = static_cast<std::int64_t>(head_.size());
  compression_ = detect_compression(head_);
  if (!compression_.empty()) open();
}

Decompressor::~Decompressor() = default;

void Decompressor::open() {
  reader_.reset(archive_read_new());
  if (!reader_) throw os::Error(ENOMEM, "start to decompress");
  // Only the one filter and no bidding: a stream inside a stream is not unpacked twice.
  if (archive_read_set_format(reader_.get(), ARCHIVE_FORMAT_RAW) != ARCHIVE_OK ||
      archive_read_append_filter(reader_.get(), filter_of(compression_)) != ARCHIVE_OK)
    throw os::Error(compression_ + " is not supported here");
  archive_entry* entry = nullptr;
  int result = archive_read_open(reader_.get(), this, nullptr, &read_callback, nullptr);
  if (result == ARCHIVE_OK) result = archive_read_next_header(reader_.get(), &entry);
  if (failure_) std::rethrow_exception(failure_);
  if (result == ARCHIVE_EOF) {
    ended_ = true;
  } else if (result != ARCHIVE_OK && result != ARCHIVE_WARN) {
    const char* reason = archive_error_string(reader_.get());
    throw os::Error("decompress " + compression_ + ": " + (reason ? reason : "damaged"));
  }
}

ssize_t Decompressor::read_callback(archive* reader, void* self, const void** buffer) {
  auto& decompressor = *static_cast<Decompressor*>(self);
  try {
    const std::string_view bytes = decompressor.pull();
    *buffer = bytes.data();
    return static_cast<ssize_t>(bytes.size());
  } catch (const std::exception& error) {
    decompressor.failure_ = std::current_exception();
    archive_set_error(reader, EIO, "%s", error.what());
    return ARCHIVE_FATAL;
  }
}

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

void Decompressor::drain() {
  while (!pull().empty()) {
  }
}

std::string_view Decompressor::next() {
  if (!reader_) return pull();
  while (!ended_) {
    const void* buffer = nullptr;
    std::size_t size = 0;
    std::int64_t offset = 0;
    const int result = archive_read_data_block(reader_.get(), &buffer, &size, &offset);
    if (failure_) std::rethrow_exception(failure_);
    if (result == ARCHIVE_EOF) {
      ended_ = true;
      drain();
    } else if (result != ARCHIVE_OK && result != ARCHIVE_WARN) {
      const char* reason = archive_error_string(reader_.get());
      throw os::Error("decompress " + compression_ + ": " + (reason ? reason : "damaged"));
    } else if (size > 0) {
      count(size);
      return {static_cast<const char*>(buffer), size};
    }
  }
  return {};
}

}  // namespace image
