#include "runtime/image/cache_record.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ctime>

#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace image {

namespace {

std::string path_of(const std::string& directory, const Digest& key) {
  return directory + "/" + key.hex();
}

}  // namespace

Json to_json(const CacheRecord& record) {
  return {{"mediaType", record.blob.media_type},
          {"digest", record.blob.digest.text()},
          {"size", record.blob.size},
          {"diffId", record.diff_id.text()},
          {"chain", record.chain.text()},
          {"created", format_timestamp(record.created)}};
}

CacheRecord cache_record(const Json& object) {
  CacheRecord record;
  record.blob = {string_at(object, "mediaType"),
                 Digest::parse(string_at(object, "digest")),
                 integer_at(object, "size"),
                 std::nullopt,
                 {}};
  record.diff_id = Digest::parse(string_at(object, "diffId"));
  record.chain = Digest::parse(string_at(object, "chain"));
  record.created = parse_timestamp(string_at(object, "created")).value_or(Timestamp{});
  return record;
}

std::string cache_directory(const Layout& layout) { return layout.root() + "/cache"; }

std::optional<CacheRecord> read_cache_record(const std::string& directory, const Digest& key) {
  constexpr std::size_t kLimit = 64 * 1024;
  const auto text = os::read_file_if_exists(path_of(directory, key), kLimit);
  if (!text) return std::nullopt;
  try {
    return cache_record(parse_object(*text, "a cache record"));
  } catch (const os::Error&) {
    return std::nullopt;
  }
}

void write_cache_record(const std::string& directory, const Digest& key,
                        const CacheRecord& record) {
  os::make_directories(directory, 0700);
  os::write_file_atomic(path_of(directory, key), dump(to_json(record)), 0600);
}

void touch_cache_record(const std::string& directory, const Digest& key) {
  constexpr std::time_t kDay = 24 * 60 * 60;
  const std::string path = path_of(directory, key);
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || ::time(nullptr) - status.st_mtim.tv_sec < kDay) return;
  ::utimensat(AT_FDCWD, path.c_str(), nullptr, 0);  // only a hint: it may fail
}

std::vector<Digest> cache_keys(const std::string& directory) {
  std::vector<Digest> keys;
  for (const std::string& name : os::list_directory(directory))
    if (const auto key = Digest::from_hex(name)) keys.push_back(*key);
  return keys;
}

void remove_cache_record(const std::string& directory, const Digest& key) {
  if (::unlink(path_of(directory, key).c_str()) != 0 && errno != ENOENT)
    throw os::Error(errno, "remove the cache record '" + key.hex() + "'");
}

}  // namespace image
