#include "manifests/paths.hpp"

#include <array>
#include <filesystem>
#include <system_error>

#include "manifests/tree_path.hpp"

namespace manifests {

namespace fs = std::filesystem;

std::string clean_path(std::string_view path) {
  std::string cleaned = fs::path(path).lexically_normal().string();
  while (cleaned.size() > 1 && cleaned.back() == '/') cleaned.pop_back();
  if (cleaned.starts_with("//")) cleaned.erase(0, cleaned.find_first_not_of('/') - 1);
  return cleaned.empty() ? "." : cleaned;
}

std::string join_path(const std::string& directory, const std::string& path) {
  if (path.starts_with('/')) return clean_path(path);
  return clean_path(directory + "/" + path);
}

std::string parent_directory(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : clean_path(path.substr(0, slash));
}

namespace {

/// `C:\…`, `\\server\…`: a path on the host of a remote Windows client, left alone.
bool is_windows_absolute(std::string_view path) {
  const auto separator = [](char c) { return c == '\\' || c == '/'; };
  if (path.size() >= 3 && path[1] == ':') return separator(path[2]);
  return path.size() >= 2 && path[0] == '\\' && separator(path[1]);
}

/// Git references and URLs that a builder fetches itself.
bool is_remote_context(std::string_view text) {
  if (text.find("://") != std::string_view::npos) return true;
  constexpr std::array<std::string_view, 3> kPrefixes = {"service:", "github.com/", "git@"};
  for (const std::string_view prefix : kPrefixes)
    if (text.starts_with(prefix)) return true;
  return false;
}

std::string with_home(const std::string& path, const PathBase& base) {
  const bool at_home = path == "~" || path.starts_with("~/");
  return at_home && !base.home.empty() ? join_path(base.home, "." + path.substr(1)) : path;
}

void resolve_path(Node& node, const PathBase& base) {
  if (!node.is_scalar() || node.text.empty()) return;
  node.text = with_home(node.text, base);
  if (!node.text.starts_with('/')) node.text = join_path(base.directory, node.text);
}

void resolve_path_on_engine(Node& node, const PathBase& base) {
  if (node.is_scalar() && is_windows_absolute(node.text)) return;
  if (!node.is_scalar() || node.type != ScalarType::string) return;
  node.text = with_home(node.text, base);
  if (!node.text.starts_with('/')) node.text = join_path(base.directory, node.text);
}

void resolve_context(Node& node, const PathBase& base) {
  if (node.is_scalar() && !is_remote_context(node.text)) resolve_path(node, base);
}

/// A watched path is compared with what inotify reports, so symbolic links are followed.
void resolve_watched(Node& node, const PathBase& base) {
  resolve_path(node, base);
  if (!node.is_scalar() || !node.text.starts_with('/')) return;
  std::error_code error;
  const fs::path real = fs::weakly_canonical(node.text, error);
  if (!error) node.text = clean_path(real.string());
}

void resolve_mount(Node& node, const PathBase& base) {
  const Node* type = node.find("type");
  Node* source = node.find("source");
  if (type != nullptr && type->text == "bind" && source != nullptr)
    resolve_path_on_engine(*source, base);
}

/// `driver: local`, `o: bind` is a bind mount by another name.
void resolve_volume_device(Node& node, const PathBase& base) {
  const Node* driver = node.find("driver");
  Node* options = node.find("driver_opts");
  if (driver == nullptr || driver->text != "local" || options == nullptr) return;
  const Node* mount_options = options->find("o");
  Node* device = options->find("device");
  if (mount_options != nullptr && mount_options->text == "bind" && device != nullptr)
    resolve_path_on_engine(*device, base);
}

struct Row {
  std::string_view pattern;
  void (*resolve)(Node&, const PathBase&);
};

constexpr Row kTable[] = {
    {"configs.*.file", resolve_path_on_engine},
    {"secrets.*.file", resolve_path_on_engine},
    {"services.*.build.additional_contexts.*", resolve_context},
    {"services.*.build.context", resolve_context},
    {"services.*.build.ssh.*", resolve_path_on_engine},
    {"services.*.develop.watch.*.path", resolve_watched},
    {"services.*.env_file.*.path", resolve_path},
    {"services.*.extends.file", resolve_path},
    {"services.*.label_file.*", resolve_path},
    {"services.*.volumes.*", resolve_mount},
    {"volumes.*", resolve_volume_device},
};

void resolve_below(Node& node, TreePath& path, const PathBase& base) {
  for (const Row& row : kTable)
    if (matches(path, row.pattern)) return row.resolve(node, base);
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    const Descent descent(path, index_segment(i));
    resolve_below(node.items[i], path, base);
  }
  for (Entry& entry : node.entries) {
    const Descent descent(path, entry.key);
    resolve_below(entry.value, path, base);
  }
}

}  // namespace

void resolve_paths(Node& model, const PathBase& base) {
  TreePath path;
  resolve_below(model, path, base);
}

}  // namespace manifests
