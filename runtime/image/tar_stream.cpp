#include "runtime/image/tar_stream.hpp"

#include <archive.h>
#include <archive_entry.h>

#include <clocale>

#include "runtime/os/error.hpp"

namespace image {

Utf8Locale::Utf8Locale()
    : locale_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)),
      before_(::uselocale(static_cast<locale_t>(nullptr))) {
  if (locale_ == nullptr) throw os::Error(errno, "use the locale C.UTF-8");
  ::uselocale(static_cast<locale_t>(locale_));
}

Utf8Locale::~Utf8Locale() {
  ::uselocale(static_cast<locale_t>(before_));
  ::freelocale(static_cast<locale_t>(locale_));
}

void TarStream::Free::operator()(archive* reader) const noexcept { archive_read_free(reader); }

TarStream::TarStream(ByteSource source, const Limits& limits)
    : decompressor_(std::move(source), limits.ratio), limits_(limits), reader_(archive_read_new()) {
  if (!reader_ || archive_read_support_format_tar(reader_.get()) != ARCHIVE_OK)
    throw os::Error(ENOMEM, "start to read a tar archive");
  const int result = archive_read_open(reader_.get(), this, nullptr, &read_callback, nullptr);
  if (result != ARCHIVE_OK) fail("open the archive");
}

TarStream::~TarStream() = default;

void TarStream::fail(const char* tried) {
  if (failure_) std::rethrow_exception(failure_);
  const char* reason = archive_error_string(reader_.get());
  const std::string text = reason != nullptr ? reason : "it is damaged";
  if (text == "Unrecognized archive format") throw os::Error("it is not a tar archive");
  throw os::Error(std::string(tried) + ": " + text);
}

ssize_t TarStream::read_callback(archive* reader, void* self, const void** buffer) {
  auto& stream = *static_cast<TarStream*>(self);
  try {
    const std::string_view bytes = stream.pull();
    *buffer = bytes.data();
    return static_cast<ssize_t>(bytes.size());
  } catch (const std::exception& error) {
    stream.failure_ = std::current_exception();
    archive_set_error(reader, EIO, "%s", error.what());
    return ARCHIVE_FATAL;
  }
}

std::string_view TarStream::pull() {
  const std::string_view bytes = decompressor_.next();
  bytes_ += static_cast<std::int64_t>(bytes.size());
  if (bytes_ > limits_.bytes)
    throw os::Error(EFBIG, "unpack more than " + std::to_string(limits_.bytes) + " bytes");
  hasher_.update(bytes);
  return bytes;
}

archive_entry* TarStream::next() {
  archive_entry* entry = nullptr;
  const int result = archive_read_next_header(reader_.get(), &entry);
  if (result == ARCHIVE_EOF) return nullptr;
  // ARCHIVE_RETRY, a block that is no header, lies between OK and WARN and is damage all the same.
  if (result != ARCHIVE_OK && result != ARCHIVE_WARN) fail("read the next entry");
  if (++entries_ > limits_.entries)
    throw os::Error(EFBIG, "unpack more than " + std::to_string(limits_.entries) + " entries");
  return entry;
}

std::optional<TarStream::Block> TarStream::next_block() {
  const void* buffer = nullptr;
  std::size_t size = 0;
  std::int64_t offset = 0;
  const int result = archive_read_data_block(reader_.get(), &buffer, &size, &offset);
  if (result == ARCHIVE_EOF) return std::nullopt;
  if (result != ARCHIVE_OK && result != ARCHIVE_WARN) fail("read a file's content");
  return Block{{static_cast<const char*>(buffer), size}, offset};
}

void TarStream::finish() {
  while (!pull().empty()) {
  }
}

}  // namespace image
