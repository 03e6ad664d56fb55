#include "manifests/source.hpp"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace manifests {

std::string_view Source::line(int number) const {
  if (starts_.empty()) {
    starts_.push_back(0);
    for (std::size_t end = text.find('\n'); end != std::string::npos;
         end = text.find('\n', end + 1))
      starts_.push_back(end + 1);
  }
  if (number < 1 || static_cast<std::size_t>(number) > starts_.size()) return {};
  const std::size_t begin = starts_[static_cast<std::size_t>(number) - 1];
  std::string_view found = std::string_view(text).substr(begin);
  found = found.substr(0, found.find('\n'));
  if (!found.empty() && found.back() == '\r') found.remove_suffix(1);
  return found;
}

namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(int error, const std::string& path) {
  throw std::system_error(error, std::generic_category(), "open " + path);
}

[[noreturn]] void fail_as_too_large(const std::string& path) {
  throw std::system_error(
      EFBIG, std::generic_category(),
      "open " + path + ": more than " + std::to_string(kMaxSourceBytes >> 20U) + " MiB");
}

void require_readable_kind(const std::string& path, FileKind kind) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (error) fail(error.value(), path);
  switch (status.type()) {
    case fs::file_type::regular:
      if (fs::file_size(path, error) > kMaxSourceBytes && !error) fail_as_too_large(path);
      return;
    case fs::file_type::directory:
      fail(EISDIR, path);
    case fs::file_type::fifo:
      if (kind == FileKind::regular_or_pipe) return;
      break;
    default:
      if (path == "/dev/null") return;
      break;
  }
  throw std::system_error(EINVAL, std::generic_category(),
                          "open " + path + ": a pipe, socket or device, and no file");
}

}  // namespace

std::shared_ptr<const Source> read_source(const std::string& path, std::string name,
                                          FileKind kind) {
  require_readable_kind(path, kind);
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) fail(errno != 0 ? errno : EIO, path);
  auto source = std::make_shared<Source>();
  source->name = name.empty() ? path : std::move(name);
  char buffer[64 << 10];
  while (file) {
    file.read(buffer, sizeof buffer);
    source->text.append(buffer, static_cast<std::size_t>(file.gcount()));
    if (source->text.size() > kMaxSourceBytes) fail_as_too_large(path);
  }
  if (file.bad()) fail(EIO, path);
  return source;
}

}  // namespace manifests
