#include "runtime/build/file_index.hpp"

#include <chrono>
#include <cstring>

#include "runtime/os/file.hpp"

namespace build {

namespace {

constexpr std::size_t kMaxEntries = 400'000;
constexpr std::size_t kDigest = 32;
constexpr std::size_t kRecord = 5 * sizeof(std::int64_t) + kDigest;
constexpr std::string_view kMagic = "stack-file-index-1\n";
/// The kernel's clock for files moves in steps of some milliseconds.
constexpr std::int64_t kSettled = 100'000'000;

std::int64_t nanoseconds(const timespec& time) {
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

std::string to_bytes(const image::Digest& digest) {
  std::string bytes;
  const std::string& hex = digest.hex();
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

std::optional<image::Digest> from_bytes(const std::string& bytes) {
  constexpr const char* kDigits = "0123456789abcdef";
  std::string hex;
  for (const char c : bytes) {
    hex += kDigits[static_cast<unsigned char>(c) >> 4];
    hex += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return image::Digest::from_hex(hex);
}

}  // namespace

FileIndex::FileIndex(std::string path) : path_(std::move(path)) {
  constexpr std::size_t kLimit = 64 * 1024 * 1024;
  std::optional<std::string> text;
  try {
    text = os::read_file_if_exists(path_, kLimit);
  } catch (const std::exception&) {
    return;  // only time is lost
  }
  if (!text || !text->starts_with(kMagic)) return;
  for (std::size_t i = kMagic.size(); i + kRecord <= text->size(); i += kRecord) {
    std::int64_t numbers[5];
    std::memcpy(numbers, text->data() + i, sizeof numbers);
    Entry entry{.size = numbers[2],
                .modified = numbers[3],
                .changed = numbers[4],
                .digest = text->substr(i + sizeof numbers, kDigest)};
    entries_.emplace_hint(
        entries_.end(),
        Key{static_cast<std::uint64_t>(numbers[0]), static_cast<std::uint64_t>(numbers[1])},
        std::move(entry));
  }
}

FileIndex::Entry FileIndex::entry_of(const struct stat& status) {
  return {.size = status.st_size,
          .modified = nanoseconds(status.st_mtim),
          .changed = nanoseconds(status.st_ctim)};
}

std::optional<image::Digest> FileIndex::find(const struct stat& status) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find({status.st_dev, status.st_ino});
  if (found == entries_.end()) return std::nullopt;
  const Entry now = entry_of(status);
  const Entry& known = found->second;
  if (known.size != now.size || known.modified != now.modified || known.changed != now.changed)
    return std::nullopt;
  known.used = true;
  return from_bytes(known.digest);
}

void FileIndex::remember(const struct stat& status, const image::Digest& digest) {
  using std::chrono::system_clock;
  Entry entry = entry_of(status);
  const auto now =
      std::chrono::duration_cast<std::chrono::nanoseconds>(system_clock::now().time_since_epoch())
          .count();
  if (entry.changed > now - kSettled) return;
  entry.digest = to_bytes(digest);
  entry.used = true;
  const std::lock_guard lock(mutex_);
  entries_[{status.st_dev, status.st_ino}] = std::move(entry);
  changed_ = true;
}

void FileIndex::save() {
  const std::lock_guard lock(mutex_);
  if (!changed_) return;
  const bool full = entries_.size() > kMaxEntries;
  std::string text(kMagic);
  for (const auto& [key, entry] : entries_) {
    if (full && !entry.used) continue;
    const std::int64_t numbers[5] = {static_cast<std::int64_t>(key.device),
                                     static_cast<std::int64_t>(key.inode), entry.size,
                                     entry.modified, entry.changed};
    text.append(reinterpret_cast<const char*>(numbers), sizeof numbers);
    text += entry.digest;
  }
  os::write_file_atomic(path_, text, 0600);
  changed_ = false;
}

}  // namespace build
