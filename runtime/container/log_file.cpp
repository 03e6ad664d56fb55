#include "runtime/container/log_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "runtime/os/error.hpp"

namespace container {
namespace {

constexpr std::size_t kFlushAt = 128 * 1024;
// "2026-01-31T09:30:00.123456789Z"
constexpr std::size_t kTimestampSize = 30;
constexpr std::size_t kFractionOffset = 20;

std::size_t index_of(LogStream stream) { return stream == LogStream::out ? 0 : 1; }

}  // namespace

std::string_view log_stream_name(LogStream stream) noexcept {
  return stream == LogStream::out ? "stdout" : "stderr";
}

LogWriter::LogWriter(std::string path, const LogOptions& options)
    : path_(std::move(path)), options_(options) {
  open();
}

void LogWriter::open() {
  file_ = os::open_file(path_, O_WRONLY | O_APPEND | O_CREAT, 0600);
  struct stat status {};
  os::check(::fstat(file_.get(), &status), [&] { return "stat '" + path_ + "'"; });
  size_ = static_cast<std::uint64_t>(status.st_size);
}

void LogWriter::write(LogStream stream, std::string_view data) {
  refresh_timestamp();
  Pending& pending = pending_[index_of(stream)];
  while (!data.empty()) {
    const std::size_t newline = data.find('\n');
    if (newline == std::string_view::npos) {
      data = keep_chunks(stream, data);
      pending.text.append(data);
      break;
    }
    append_line(stream, data.substr(0, newline));
    data.remove_prefix(newline + 1);
  }
  flush();
}

std::string_view LogWriter::pending(LogStream stream) const noexcept {
  return pending_[index_of(stream)].text;
}

void LogWriter::finish(LogStream stream) {
  Pending& pending = pending_[index_of(stream)];
  if (!pending.text.empty()) {
    refresh_timestamp();
    append_entry(stream, 'P', pending.text, {});
  }
  pending = {};
  flush();
}

// Writes parts of a line until what remains, with what is pending, is one chunk or less: a line of
// exactly a chunk is one full entry.
std::string_view LogWriter::keep_chunks(LogStream stream, std::string_view rest) {
  Pending& pending = pending_[index_of(stream)];
  while (pending.text.size() + rest.size() > kLogChunk) {
    const std::size_t taken = kLogChunk - pending.text.size();
    append_entry(stream, 'P', pending.text, rest.substr(0, taken));
    pending.text.clear();
    pending.partial = true;
    rest.remove_prefix(taken);
  }
  return rest;
}

void LogWriter::append_line(LogStream stream, std::string_view text) {
  Pending& pending = pending_[index_of(stream)];
  text = keep_chunks(stream, text);
  append_entry(stream, 'F', pending.text, text);
  pending.text.clear();
  pending.partial = false;
  rotate_if_due();
}

void LogWriter::append_entry(LogStream stream, char tag, std::string_view first,
                             std::string_view second) {
  const std::string_view name = log_stream_name(stream);
  const std::size_t size = kTimestampSize + 1 + name.size() + 3 + first.size() + second.size() + 1;
  const std::size_t begin = buffer_.size();
  buffer_.resize(begin + size);
  char* out = buffer_.data() + begin;
  const auto put = [&out](std::string_view text) {
    if (!text.empty()) std::memcpy(out, text.data(), text.size());
    out += text.size();
  };
  put({timestamp_.data(), kTimestampSize});
  *out++ = ' ';
  put(name);
  *out++ = ' ';
  *out++ = tag;
  *out++ = ' ';
  put(first);
  put(second);
  *out = '\n';
  size_ += size;
  buffered_output_ += first.size() + second.size();
  if (buffer_.size() >= kFlushAt) flush();
}

// Formats the date once a second, the fraction every time.
void LogWriter::refresh_timestamp() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  if (now.tv_sec != timestamp_second_) {
    tm utc{};
    ::gmtime_r(&now.tv_sec, &utc);
    std::array<char, 96> text{};
    std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.000000000Z",
                  utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min,
                  utc.tm_sec);
    std::copy_n(text.begin(), kTimestampSize, timestamp_.begin());
    timestamp_second_ = now.tv_sec;
  }
  auto fraction = static_cast<std::uint32_t>(now.tv_nsec);
  for (std::size_t digit = 9; digit-- > 0; fraction /= 10) {
    timestamp_[kFractionOffset + digit] = static_cast<char>('0' + fraction % 10);
  }
}

// Writes the buffer as far as the disk takes it. The rest is dropped: a container must not stand
// still because a disk is full.
void LogWriter::flush() {
  std::size_t done = 0;
  while (done < buffer_.size()) {
    const ssize_t written = ::write(file_.get(), buffer_.data() + done, buffer_.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      drop_after(done);
      break;
    }
    done += static_cast<std::size_t>(written);
  }
  buffer_.clear();
  buffered_output_ = 0;
  // One burst must not keep memory for good.
  if (buffer_.capacity() > 4 * kFlushAt) buffer_.shrink_to_fit();
}

// The disk took `done` bytes of the buffer: cuts off the line it took in part, so that the next
// one does not begin in its middle.
void LogWriter::drop_after(std::size_t done) {
  const std::size_t newline =
      done == 0 ? std::string::npos : std::string_view(buffer_).rfind('\n', done - 1);
  const std::size_t whole = newline == std::string::npos ? 0 : newline + 1;
  size_ -= buffer_.size() - whole;
  dropped_ += buffered_output_;
  if (whole != done && ::ftruncate(file_.get(), static_cast<off_t>(size_)) != 0)
    size_ += done - whole;
}

void LogWriter::rotate_if_due() {
  if (options_.max_size == 0 || size_ < options_.max_size) return;
  if (pending_[0].partial || pending_[1].partial) return;
  flush();
  rotate();
}

// A follower that still reads an older file keeps it open; renaming does not disturb it.
void LogWriter::rotate() {
  const auto name = [&](unsigned index) {
    return index == 0 ? path_ : path_ + "." + std::to_string(index);
  };
  if (options_.max_files <= 1) {
    ::unlink(path_.c_str());
  } else {
    for (unsigned index = options_.max_files - 1; index > 0; --index) {
      ::rename(name(index - 1).c_str(), name(index).c_str());
    }
  }
  try {
    open();
  } catch (const os::Error&) {
    // Out of descriptors or of disk: the renamed file goes on to take the output.
    size_ = 0;
  }
}

}  // namespace container
