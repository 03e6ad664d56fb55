#include "runtime/build/content_key.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>

#include "runtime/image/copy.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/fd.hpp"

namespace build {

namespace {

using image::LayerStack;

std::string descriptor_path(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

image::Digest digest_file(const LayerStack::Node& node, const std::string& path) {
  const os::UniqueFd fd = os::open_file(descriptor_path(node.fd.get()), O_RDONLY);
  image::Hasher hasher;
  std::vector<char> buffer(static_cast<std::size_t>(
      std::clamp<std::int64_t>(node.status.st_size + 1, 4096, 256 * 1024)));
  for (;;) {
    const ssize_t n = os::check(::read(fd.get(), buffer.data(), buffer.size()),
                                [&] { return "read '" + path + "'"; });
    if (n == 0) return hasher.finish();
    hasher.update({buffer.data(), static_cast<std::size_t>(n)});
  }
}

class ContentKey : public TreeVisitor {
 public:
  ContentKey(KeyBuilder& key, const SourceTree& tree, FileIndex& index)
      : key_(key), tree_(tree), index_(index) {}

  void directory(const std::string& path, LayerStack::Node& node) override {
    key_.add("directory").add(path).add(node.status.st_mode & 07777);
    add_owner(node);
    if (!tree_.is_context) add_xattrs(node.top());
  }

  void file(const std::string& path, LayerStack::Node& node) override {
    const struct stat& status = node.status;
    if (S_ISSOCK(status.st_mode)) return;  // not copied
    key_.add("file").add(path).add(status.st_mode);
    add_owner(node);
    if (S_ISLNK(status.st_mode)) {
      LayerStack::open(node);
      key_.add(image::read_link(node.fd.get(), path));
    } else if (S_ISREG(status.st_mode)) {
      auto digest = index_.find(status);
      if (!digest) {
        LayerStack::open(node);
        digest = digest_file(node, path);
        index_.remember(status, *digest);
      }
      key_.add(digest->hex());
      // Of a context only capabilities arrive, and only programs have those.
      if (tree_.is_context && (status.st_mode & 0111) == 0) return;
      LayerStack::open(node);
      const os::UniqueFd readable = os::open_file(descriptor_path(node.fd.get()), O_RDONLY);
      add_xattrs(readable.get());
    } else {
      key_.add(status.st_rdev);
    }
  }

 private:
  void add_owner(const LayerStack::Node& node) {
    if (tree_.is_context) return;
    key_.add(node.status.st_uid).add(node.status.st_gid);
  }

  void add_xattrs(int fd) {
    std::array<char, 65536> list;
    const ssize_t length = ::flistxattr(fd, list.data(), list.size());
    for (ssize_t i = 0; i < length;) {
      const std::string name = list.data() + i;
      i += static_cast<ssize_t>(name.size()) + 1;
      const bool arrives =
          tree_.is_context ? name == "security.capability" : image::is_allowed_xattr(name);
      if (!arrives) continue;
      std::string value(65536, '\0');
      const ssize_t size = ::fgetxattr(fd, name.c_str(), value.data(), value.size());
      if (size < 0) continue;
      value.resize(static_cast<std::size_t>(size));
      key_.add("xattr").add(name).add(value);
    }
  }

  KeyBuilder& key_;
  const SourceTree& tree_;
  FileIndex& index_;
};

}  // namespace

KeyBuilder& KeyBuilder::add(std::string_view part) {
  add(part.size());
  hasher_.update(part);
  return *this;
}

KeyBuilder& KeyBuilder::add(std::uint64_t number) {
  std::array<char, 8> bytes;
  for (char& byte : bytes) {
    byte = static_cast<char>(number & 0xFF);
    number >>= 8;
  }
  hasher_.update({bytes.data(), bytes.size()});
  return *this;
}

void add_content(KeyBuilder& key, const SourceTree& tree, const Selected& selected,
                 const Ignore& excludes, FileIndex& index) {
  LayerStack::Node node = open_selected(tree, selected);
  const auto slash = selected.path.rfind('/');
  const std::string name =
      slash == std::string::npos ? selected.path : selected.path.substr(slash + 1);
  ContentKey content(key, tree, index);
  if (node.is_directory()) {
    key.add("tree").add(selected.kept).add(selected.by_wildcard ? 1U : 0U);
    walk_tree(tree, node, selected.path, excludes, content);
  } else if (!excludes.ignores(name)) {
    key.add("single").add(selected.kept);
    content.file(name, node);
  }
}

}  // namespace build
