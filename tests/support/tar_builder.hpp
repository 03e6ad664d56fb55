// Builds tar archives byte by byte, so that tests can hold what no honest program writes.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <map>
#include <string>
#include <string_view>

namespace support {

/// The header fields of one entry; owners default to ourselves, so that no privilege is needed.
struct TarEntry {
  std::string name;
  char type =
      '0';  ///< '0' file, '1' hard link, '2' symlink, '3' char, '4' block, '5' dir, '6' FIFO
  std::string content;
  std::string link;
  unsigned mode = 0644;
  unsigned uid = ::geteuid();
  unsigned gid = ::getegid();
  unsigned major = 0;
  unsigned minor = 0;
  long modified = 1'000'000'000;
  std::map<std::string, std::string> pax;  ///< extended header records
};

class TarBuilder {
 public:
  TarBuilder& add(const TarEntry& entry) {
    std::string records;
    for (const auto& [key, value] : entry.pax) records += pax_record(key, value);
    if (entry.name.size() > 100) records += pax_record("path", entry.name);
    if (entry.link.size() > 100) records += pax_record("linkpath", entry.link);
    if (!records.empty()) append(TarEntry{.name = "pax", .type = 'x', .content = records});
    append(entry);
    return *this;
  }
  TarBuilder& file(const std::string& name, const std::string& content, unsigned mode = 0644) {
    return add({.name = name, .content = content, .mode = mode});
  }
  TarBuilder& directory(const std::string& name, unsigned mode = 0755) {
    return add({.name = name, .type = '5', .mode = mode});
  }
  TarBuilder& symlink(const std::string& name, const std::string& target) {
    return add({.name = name, .type = '2', .link = target, .mode = 0777});
  }
  TarBuilder& hardlink(const std::string& name, const std::string& target) {
    return add({.name = name, .type = '1', .link = target});
  }
  /// Bytes as they are.
  TarBuilder& raw(std::string_view bytes) {
    data_ += bytes;
    return *this;
  }

  /// The archive with its end.
  std::string finish() const { return data_ + std::string(1024, '\0'); }

  static std::string pax_record(const std::string& key, const std::string& value) {
    const std::string body = " " + key + "=" + value + "\n";
    std::size_t length = body.size();
    while (std::to_string(length).size() + body.size() != length)
      length = std::to_string(length).size() + body.size();
    return std::to_string(length) + body;
  }

 private:
  static void put_octal(char* field, std::size_t size, unsigned long value) {
    field[--size] = '\0';
    while (size > 0) {
      field[--size] = static_cast<char>('0' + value % 8);
      value /= 8;
    }
  }

  void append(const TarEntry& entry) {
    std::array<char, 512> header{};
    char* h = header.data();
    std::memcpy(h, entry.name.data(), std::min<std::size_t>(entry.name.size(), 100));
    put_octal(h + 100, 8, entry.mode);
    put_octal(h + 108, 8, entry.uid);
    put_octal(h + 116, 8, entry.gid);
    put_octal(h + 124, 12, entry.content.size());
    put_octal(h + 136, 12, static_cast<unsigned long>(entry.modified));
    std::memset(h + 148, ' ', 8);
    h[156] = entry.type;
    std::memcpy(h + 157, entry.link.data(), std::min<std::size_t>(entry.link.size(), 100));
    std::memcpy(h + 257, "ustar\00000", 8);
    put_octal(h + 329, 8, entry.major);
    put_octal(h + 337, 8, entry.minor);
    unsigned long sum = 0;
    for (const char c : header) sum += static_cast<unsigned char>(c);
    put_octal(h + 148, 7, sum);
    data_.append(header.data(), header.size());
    data_ += entry.content;
    data_.append((512 - entry.content.size() % 512) % 512, '\0');
  }

  std::string data_;
};

}  // namespace support
