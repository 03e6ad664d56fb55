#include "runtime/build/tar_writer.hpp"

#include <array>
#include <cstring>

namespace build {

namespace {

constexpr std::size_t kBlock = 512;
constexpr std::int64_t kLargestOctalSize = 077777777777;
constexpr std::uint64_t kLargestOctalId = 07777777;

/// Offsets and lengths in a ustar header.
struct Field {
  std::size_t offset;
  std::size_t length;
};
constexpr Field kName{0, 100};
constexpr Field kMode{100, 8};
constexpr Field kUid{108, 8};
constexpr Field kGid{116, 8};
constexpr Field kSize{124, 12};
constexpr Field kTime{136, 12};
constexpr Field kChecksum{148, 8};
constexpr std::size_t kType = 156;
constexpr Field kLink{157, 100};
constexpr std::size_t kMagic = 257;
constexpr Field kMajor{329, 8};
constexpr Field kMinor{337, 8};
constexpr Field kPrefix{345, 155};

void put_text(std::array<char, kBlock>& block, Field field, std::string_view text) {
  std::memcpy(block.data() + field.offset, text.data(), std::min(text.size(), field.length));
}

void put_octal(std::array<char, kBlock>& block, Field field, std::uint64_t value) {
  for (std::size_t i = field.length - 1; i-- > 0;) {
    block[field.offset + i] = static_cast<char>('0' + (value & 7));
    value >>= 3;
  }
}

/// One pax record: "LENGTH KEY=VALUE\n", its own length included.
std::string record(const std::string& key, const std::string& value) {
  const std::size_t rest = key.size() + value.size() + 3;
  std::size_t length = rest + 1;
  while (std::to_string(length).size() + rest != length)
    length = std::to_string(length).size() + rest;
  return std::to_string(length) + " " + key + "=" + value + "\n";
}

/// Where a long path may be cut into prefix and name; 0 when nowhere.
std::size_t cut(const std::string& path) {
  if (path.size() > kPrefix.length + 1 + kName.length) return 0;
  const std::size_t last = std::min(path.size() - 2, kPrefix.length);
  const auto slash = path.rfind('/', last);
  if (slash == std::string::npos || slash == 0 || path.size() - slash - 1 > kName.length) return 0;
  return slash;
}

bool is_ascii(std::string_view text) {
  for (const char c : text)
    if (static_cast<unsigned char>(c) >= 0x80) return false;
  return true;
}

std::string pax_records(const TarEntry& entry) {
  std::string text;
  const bool long_path = entry.path.size() > kName.length && cut(entry.path) == 0;
  if (long_path || !is_ascii(entry.path)) text += record("path", entry.path);
  if (entry.link.size() > kLink.length || !is_ascii(entry.link))
    text += record("linkpath", entry.link);
  if (entry.size > kLargestOctalSize) text += record("size", std::to_string(entry.size));
  if (entry.uid > kLargestOctalId) text += record("uid", std::to_string(entry.uid));
  if (entry.gid > kLargestOctalId) text += record("gid", std::to_string(entry.gid));
  if (entry.modified < 0 || entry.modified > kLargestOctalSize)
    text += record("mtime", std::to_string(entry.modified));
  for (const auto& [name, value] : entry.xattrs) text += record("SCHILY.xattr." + name, value);
  return text;
}

}  // namespace

void TarWriter::header(const TarEntry& entry, const std::string& path, const std::string& link) {
  std::array<char, kBlock> block{};
  const std::size_t slash = path.size() > kName.length ? cut(path) : 0;
  if (slash > 0) put_text(block, kPrefix, std::string_view(path).substr(0, slash));
  put_text(block, kName, slash > 0 ? path.substr(slash + 1) : path);
  put_octal(block, kMode, entry.mode & 07777);
  put_octal(block, kUid, entry.uid > kLargestOctalId ? 0 : entry.uid);
  put_octal(block, kGid, entry.gid > kLargestOctalId ? 0 : entry.gid);
  put_octal(block, kSize,
            entry.size > kLargestOctalSize ? 0 : static_cast<std::uint64_t>(entry.size));
  const bool plain_time = entry.modified >= 0 && entry.modified <= kLargestOctalSize;
  put_octal(block, kTime, plain_time ? static_cast<std::uint64_t>(entry.modified) : 0);
  block[kType] = entry.type;
  put_text(block, kLink, link);
  std::memcpy(block.data() + kMagic, "ustar\00000", 8);
  put_octal(block, kMajor, entry.major);
  put_octal(block, kMinor, entry.minor);
  std::memset(block.data() + kChecksum.offset, ' ', kChecksum.length);
  std::uint64_t sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  put_octal(block, {kChecksum.offset, 7}, sum);
  block[kChecksum.offset + 6] = '\0';
  sink_({block.data(), block.size()});
}

void TarWriter::begin(const TarEntry& entry) {
  const std::string records = pax_records(entry);
  if (!records.empty()) {
    TarEntry pax;
    pax.type = 'x';
    pax.mode = 0644;
    pax.size = static_cast<std::int64_t>(records.size());
    header(pax, "PaxHeaders.0/" + entry.path.substr(0, 80), "");
    content(records);
    end_entry();
  }
  header(entry, entry.path, entry.link);
  written_ = 0;
}

void TarWriter::content(std::string_view data) {
  sink_(data);
  written_ += static_cast<std::int64_t>(data.size());
}

void TarWriter::end_entry() {
  static const std::string zeros(kBlock, '\0');
  const std::size_t over = static_cast<std::size_t>(written_) % kBlock;
  if (over > 0) sink_(std::string_view(zeros).substr(over));
  written_ = 0;
}

void TarWriter::finish() { sink_(std::string(2 * kBlock, '\0')); }

}  // namespace build
