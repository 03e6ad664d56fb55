#include "runtime/container/log_reader.hpp"

#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "runtime/os/error.hpp"

namespace container {
namespace {

constexpr std::size_t kBlock = 64 * 1024;
// An entry is at most a chunk and its header; anything longer is not ours.
constexpr std::size_t kMaxLine = 4 * kLogChunk;
constexpr unsigned kMaxFiles = 1000;

bool take_number(std::string_view& text, std::size_t digits, int& number) {
  if (text.size() < digits) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + digits, number);
  if (error != std::errc{} || end != text.data() + digits || text[0] == '-') return false;
  text.remove_prefix(digits);
  return true;
}

bool take(std::string_view& text, char expected) {
  if (text.empty() || text[0] != expected) return false;
  text.remove_prefix(1);
  return true;
}

// Up to nine digits of a second; more are cut.
std::optional<std::chrono::nanoseconds> take_fraction(std::string_view& text) {
  if (!take(text, '.')) return std::chrono::nanoseconds(0);
  std::int64_t nanoseconds = 0;
  std::int64_t unit = 100'000'000;
  std::size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') {
    nanoseconds += (text[digits++] - '0') * unit;
    unit /= 10;
  }
  if (digits == 0) return std::nullopt;
  text.remove_prefix(digits);
  return std::chrono::nanoseconds(nanoseconds);
}

std::optional<std::chrono::minutes> take_offset(std::string_view& text) {
  if (take(text, 'Z') || take(text, 'z')) return std::chrono::minutes(0);
  if (text.empty() || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  const int sign = text[0] == '-' ? -1 : 1;
  text.remove_prefix(1);
  int hours = 0;
  int minutes = 0;
  if (!take_number(text, 2, hours) || !take(text, ':') || !take_number(text, 2, minutes)) {
    return std::nullopt;
  }
  if (hours > 23 || minutes > 59) return std::nullopt;
  return std::chrono::minutes(sign * (hours * 60 + minutes));
}

std::optional<std::chrono::sys_days> take_date(std::string_view& text) {
  int year = 0;
  int month = 0;
  int day = 0;
  if (!take_number(text, 4, year) || !take(text, '-') || !take_number(text, 2, month) ||
      !take(text, '-') || !take_number(text, 2, day)) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date(std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day)));
  // Nanoseconds in 64 bits end in the year 2262.
  if (!date.ok() || year < 1700 || year > 2261) return std::nullopt;
  return std::chrono::sys_days(date);
}

}  // namespace

std::optional<LogTime> parse_rfc3339(std::string_view text) {
  const auto date = take_date(text);
  int hours = 0;
  int minutes = 0;
  int seconds = 0;
  if (!date || (!take(text, 'T') && !take(text, 't')) || !take_number(text, 2, hours) ||
      !take(text, ':') || !take_number(text, 2, minutes) || !take(text, ':') ||
      !take_number(text, 2, seconds) || hours > 23 || minutes > 59 || seconds > 60) {
    return std::nullopt;
  }
  const auto fraction = take_fraction(text);
  if (!fraction) return std::nullopt;
  const auto offset = take_offset(text);
  if (!offset || !text.empty()) return std::nullopt;
  return LogTime(*date) + std::chrono::hours(hours) + std::chrono::minutes(minutes) +
         std::chrono::seconds(seconds) + *fraction - *offset;
}

std::optional<LogEntry> parse_log_line(std::string_view line) {
  const std::size_t first = line.find(' ');
  if (first == std::string_view::npos) return std::nullopt;
  const auto time = parse_rfc3339(line.substr(0, first));
  if (!time) return std::nullopt;
  line.remove_prefix(first + 1);
  LogEntry entry{.time = *time};
  if (line.starts_with("stdout ")) {
    entry.stream = LogStream::out;
  } else if (line.starts_with("stderr ")) {
    entry.stream = LogStream::err;
  } else {
    return std::nullopt;
  }
  line.remove_prefix(7);
  // The CRI allows further tags after a colon ("F:tag").
  const std::size_t end = line.find(' ');
  if (end == 0 || end == std::string_view::npos || (end > 1 && line[1] != ':')) return std::nullopt;
  if (line[0] != 'F' && line[0] != 'P') return std::nullopt;
  entry.partial = line[0] == 'P';
  entry.text = line.substr(end + 1);
  return entry;
}

LogReader::LogReader(std::string path, const LogReaderOptions& options)
    : path_(std::move(path)), options_(options) {
  if (options_.tail) {
    seek_tail(*options_.tail);
  } else {
    open_file(oldest());
  }
}

std::string LogReader::name(unsigned index) const {
  return index == 0 ? path_ : path_ + "." + std::to_string(index);
}

unsigned LogReader::oldest() const {
  unsigned index = 0;
  while (index < kMaxFiles && ::access(name(index + 1).c_str(), F_OK) == 0) ++index;
  return index;
}

bool LogReader::open_file(unsigned index) {
  return take_file(os::UniqueFd(::open(name(index).c_str(), O_RDONLY | O_CLOEXEC)));
}

bool LogReader::take_file(os::UniqueFd file) {
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0) return false;
  file_ = std::move(file);
  inode_ = status.st_ino;
  device_ = status.st_dev;
  buffer_.clear();
  position_ = 0;
  return true;
}

namespace {

// Where in a file its last `lines` full lines begin; `lines` is lowered by those found. Parts of a
// line belong to the full entry that ends it, but for the end of the log, where no such entry is.
off_t tail_offset(int file, bool is_newest, std::size_t& lines) {
  struct stat status {};
  if (::fstat(file, &status) != 0) return 0;
  off_t end = status.st_size;
  off_t begin_of_line = end;
  std::string tail;  // what is read, from `end` on
  while (end > 0) {
    const off_t begin = std::max<off_t>(0, end - static_cast<off_t>(kBlock));
    std::string block(static_cast<std::size_t>(end - begin), '\0');
    const ssize_t got = ::pread(file, block.data(), block.size(), begin);
    if (got != static_cast<ssize_t>(block.size())) return begin_of_line;
    tail.insert(0, block);
    end = begin;
    // Take whole lines off the end as long as their begin is in sight.
    while (!tail.empty()) {
      const std::size_t newline =
          tail.size() < 2 ? std::string::npos : tail.rfind('\n', tail.size() - 2);
      if (newline == std::string::npos && end > 0) break;
      const std::size_t first = newline == std::string::npos ? 0 : newline + 1;
      std::string_view line(tail.data() + first, tail.size() - first);
      if (line.ends_with('\n')) line.remove_suffix(1);
      const auto entry = parse_log_line(line);
      const bool is_full = entry && (!entry->partial || is_newest);
      is_newest = is_newest && !entry;
      if (is_full && lines == 0) return begin_of_line;
      if (is_full) --lines;
      begin_of_line = end + static_cast<off_t>(first);
      tail.resize(first);
    }
    if (tail.size() > kMaxLine + kBlock) return begin_of_line;
  }
  return 0;
}

}  // namespace

void LogReader::seek_tail(std::size_t lines) {
  const unsigned last = oldest();
  for (unsigned index = 0; index <= last; ++index) {
    if (!open_file(index)) continue;
    const off_t offset = tail_offset(file_.get(), index == 0, lines);
    ::lseek(file_.get(), offset, SEEK_SET);
    if (offset > 0) return;
  }
}

bool LogReader::fill() {
  if (!file_) return false;
  buffer_.erase(0, position_);
  position_ = 0;
  const std::size_t old = buffer_.size();
  buffer_.resize(old + kBlock);
  ssize_t got = 0;
  do {
    got = ::read(file_.get(), buffer_.data() + old, kBlock);
  } while (got < 0 && errno == EINTR);
  buffer_.resize(old + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return got > 0;
}

bool LogReader::is_ours(unsigned index) const {
  struct stat status {};
  return ::stat(name(index).c_str(), &status) == 0 && status.st_ino == inode_ &&
         status.st_dev == device_;
}

// Goes on to the file after the one at whose end we are: that one was renamed meanwhile. When it is
// gone, the oldest there is comes next.
bool LogReader::open_next() {
  const unsigned last = oldest();
  for (unsigned index = 0; file_ && index <= last; ++index) {
    if (!is_ours(index)) continue;
    if (index == 0) return false;
    // The writer may have added to it between our last read and the rename.
    if (fill()) return true;
    os::UniqueFd next(::open(name(index - 1).c_str(), O_RDONLY | O_CLOEXEC));
    // Renamed again between the two: what was opened may be one too new.
    if (!next || !is_ours(index)) return open_next();
    return take_file(std::move(next));
  }
  if (fill()) return true;
  return open_file(last);
}

std::optional<std::string_view> LogReader::next_line() {
  std::size_t searched = position_;
  for (;;) {
    const std::size_t newline = buffer_.find('\n', searched);
    if (newline != std::string::npos) {
      const std::string_view line(buffer_.data() + position_, newline - position_);
      position_ = newline + 1;
      return line;
    }
    // A line without end is not ours: throw it away rather than keep it.
    if (buffer_.size() - position_ > kMaxLine) position_ = buffer_.size();
    const std::size_t unfinished = buffer_.size() - position_;
    if (!fill() && !open_next()) return std::nullopt;
    searched = position_ + std::min(unfinished, buffer_.size() - position_);
  }
}

std::optional<LogEntry> LogReader::next() {
  while (!ended_) {
    const auto line = next_line();
    if (!line) return std::nullopt;
    const auto entry = parse_log_line(*line);
    if (!entry || (options_.since && entry->time < *options_.since)) continue;
    if (options_.until && entry->time >= *options_.until) {
      ended_ = true;
      break;
    }
    return entry;
  }
  return std::nullopt;
}

void LogReader::follow() {
  if (inotify_) return;
  inotify_ = os::UniqueFd(os::check(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK),
                                    [] { return "make an inotify descriptor"; }));
  // The directory tells of writes to the file as well as of the new file after a rotation.
  const std::size_t slash = path_.rfind('/');
  const std::string directory =
      slash == std::string::npos ? "." : path_.substr(0, std::max<std::size_t>(slash, 1));
  os::check(::inotify_add_watch(inotify_.get(), directory.c_str(),
                                IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_ONLYDIR),
            [&] { return "watch '" + directory + "'"; });
}

void LogReader::drain() {
  std::array<char, 4096> events;
  while (inotify_ && ::read(inotify_.get(), events.data(), events.size()) > 0) {
  }
}

}  // namespace container
