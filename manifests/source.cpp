#include "manifests/source.hpp"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace manifests {

std::string_view Source::line(int number) const {
  std::string_view rest = text;
  for (int current = 1; current < number; ++current) {
    const auto end = rest.find('\n');
    if (end == std::string_view::npos) return {};
    rest.remove_prefix(end + 1);
  }
  std::string_view found = rest.substr(0, rest.find('\n'));
  if (!found.empty() && found.back() == '\r') found.remove_suffix(1);
  return found;
}

namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(int error, const std::string& path) {
  throw std::system_error(error, std::generic_category(), "open " + path);
}

void require_readable_kind(const std::string& path, FileKind kind) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (error) fail(error.value(), path);
  switch (status.type()) {
    case fs::file_type::regular:
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
  fail(EINVAL, path);
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
    if (source->text.size() > kMaxSourceBytes) fail(EFBIG, path);
  }
  if (file.bad()) fail(EIO, path);
  return source;
}

}  // namespace manifests
