#include "orchestrator/cli/copy_place.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>

#include "runtime/os/error.hpp"
#include "runtime/os/mount.hpp"

namespace cli {

namespace {

/// Absolute, without "." and "//"; ".." by name, as Docker cleans paths.
std::string cleaned(const std::string& path) {
  std::string text = std::filesystem::path("/" + path).lexically_normal().string();
  while (text.size() > 1 && text.back() == '/') text.pop_back();
  return text;
}

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

bool ends_with_slash(const std::string& path) {
  return path.ends_with('/') || path.ends_with("/.");
}

os::UniqueFd open_if_there(int root, const std::string& path, int flags) {
  try {
    return os::open_in_root(root, path, flags);
  } catch (const os::Error& error) {
    if (error.code() != ENOENT) throw;
    return {};
  }
}

bool is_directory(int fd) {
  struct stat status {};
  os::check(::fstat(fd, &status), [] { return std::string("look at what is to be copied"); });
  return S_ISDIR(status.st_mode);
}

}  // namespace

CopyEnd parse_copy_end(const std::string& text) {
  const auto colon = text.find(':');
  if (colon == std::string::npos || colon == 0 || text.front() == '/' || text.front() == '.' ||
      text.find('/') < colon)
    return {.service = {}, .path = text};
  return {.service = text.substr(0, colon), .path = text.substr(colon + 1)};
}

CopySource open_copy_source(int root, const std::string& path, bool follow_link) {
  const std::string clean = cleaned(path);
  CopySource source;
  const bool follow = follow_link || ends_with_slash(path);
  source.object = os::open_in_root(root, clean, O_PATH | (follow ? 0 : O_NOFOLLOW));
  source.name = name_of(clean);
  source.is_directory = is_directory(source.object.get());
  if (path.ends_with('/') && !source.is_directory) throw os::Error(ENOTDIR, "copy '" + path + "'");
  source.content_only = path.ends_with("/.") || path == "." || clean == "/";
  return source;
}

CopyTarget choose_copy_target(int root, const std::string& path, const std::string& source_name,
                              bool source_is_directory, bool content_only) {
  const std::string clean = cleaned(path);
  const os::UniqueFd there = open_if_there(root, clean, O_PATH);
  if (!there) {
    const os::UniqueFd parent = open_if_there(root, parent_of(clean), O_PATH);
    if (!parent || !is_directory(parent.get()))
      throw os::Error("the destination directory '" + parent_of(clean) + "' does not exist");
    if (ends_with_slash(path) && !source_is_directory)
      throw os::Error("the destination directory '" + clean + "' does not exist");
    return {.directory = parent_of(clean), .name = name_of(clean)};
  }
  if (is_directory(there.get()))
    return {.directory = clean, .name = content_only && source_is_directory ? "." : source_name};
  if (source_is_directory) throw os::Error("cannot copy a directory to the file '" + clean + "'");
  if (ends_with_slash(path)) throw os::Error(ENOTDIR, "copy to '" + path + "'");
  return {.directory = parent_of(clean), .name = name_of(clean)};
}

}  // namespace cli
