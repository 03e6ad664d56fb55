#include "runtime/build/copy_into.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include <array>

#include "runtime/build/values.hpp"
#include "runtime/image/copy.hpp"
#include "runtime/image/layer.hpp"
#include "runtime/image/limits.hpp"
#include "runtime/os/error.hpp"

namespace build {

namespace {

using image::LayerStack;

std::vector<std::string> with_upper(const std::string& upper, std::vector<std::string> lower) {
  lower.insert(lower.begin(), upper);
  return lower;
}

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

std::string name_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

bool has_xattrs(const LayerStack::Node& node) {
  const std::string path = "/proc/self/fd/" + std::to_string(node.fd.get());
  return ::listxattr(path.c_str(), nullptr, 0) > 0;
}

/// Takes attributes that do not travel with a build context.
void strip_xattrs(int fd) {
  std::array<char, 65536> list;
  const ssize_t length = ::flistxattr(fd, list.data(), list.size());
  for (ssize_t i = 0; i < length;) {
    const std::string name = list.data() + i;
    i += static_cast<ssize_t>(name.size()) + 1;
    if (name.starts_with("user.")) ::fremovexattr(fd, name.c_str());
  }
}

}  // namespace

CopyInto::CopyInto(const std::string& upper, const std::vector<std::string>& lower,
                   CopyOptions options)
    : upper_(os::open_file(upper, O_RDONLY | O_DIRECTORY)),
      lower_(lower),
      merged_(with_upper(upper, lower)),
      options_(std::move(options)),
      tree_(upper_.get(), lower_, image::Limits{}) {}

/// Owner, mode and time of what is copied.
void CopyInto::settle(const SourceTree& tree, struct stat& status) const {
  if (tree.is_context) {
    status.st_uid = 0;
    status.st_gid = 0;
    if (options_.time) status.st_mtim = {.tv_sec = *options_.time, .tv_nsec = 0};
  }
  status.st_mtim.tv_nsec = 0;  // as the archive of the layer will have it
  if (options_.owner) {
    status.st_uid = options_.owner->first;
    status.st_gid = options_.owner->second;
  }
  if (options_.mode.empty() || S_ISLNK(status.st_mode)) return;
  const auto mode = apply_mode(options_.mode, status.st_mode & 07777, S_ISDIR(status.st_mode));
  if (!mode) throw os::Error("--chmod: '" + options_.mode + "' is no mode");
  status.st_mode = (status.st_mode & S_IFMT) | *mode;
}

/// A directory that nothing was copied to. A mode in octal counts for it as mkdir(2) takes one,
/// under the usual mask and without special bits; that is what Docker does.
void CopyInto::settle_new(int fd, const std::string& path) {
  mode_t mode = 0755;
  const bool octal = options_.mode.find_first_not_of("01234567") == std::string::npos;
  if (!options_.mode.empty() && octal)
    mode = apply_mode(options_.mode, mode, true).value_or(mode) & 0755;
  const auto owner = options_.owner.value_or(std::pair<uid_t, gid_t>(0, 0));
  os::check(::fchown(fd, owner.first, owner.second),
            [&] { return "set the owner of '" + path + "'"; });
  os::check(::fchmod(fd, mode), [&] { return "set the mode of '" + path + "'"; });
}

CopyInto::DirectoryRef CopyInto::ensure(const std::string& path) {
  const auto existing = merged_.resolve(path);
  if (existing && !existing->is_directory())
    throw os::Error(ENOTDIR, "copy to directory '/" + path + "'");
  if (existing || path.empty()) return tree_.directory(path);
  ensure(parent_of(path));
  DirectoryRef made = tree_.directory(path);
  settle_new(made->fd.get(), path);
  if (options_.time) tree_.set_time_later(*made, {.tv_sec = *options_.time, .tv_nsec = 0});
  return made;
}

std::pair<CopyInto::DirectoryRef, std::string> CopyInto::place_of(const std::string& destination,
                                                                  const std::string& name) {
  std::string path = clean_relative(destination);
  const bool inside = destination.ends_with('/') || path.empty();
  for (int links = 0;; ++links) {
    const auto existing = merged_.resolve(path);
    if (inside || (existing && existing->is_directory())) return {ensure(path), name};
    DirectoryRef parent = ensure(parent_of(path));
    const auto entry = entry_at(path);
    if (!entry || !S_ISLNK(entry->status.st_mode)) return {std::move(parent), name_of(path)};
    // A link to a file, or to nothing: what it names is written.
    if (links == image::kMaxLinks) throw os::Error(ELOOP, "follow the link '/" + path + "'");
    const std::string target = image::read_link(entry->fd.get(), path);
    path = clean_relative(target.starts_with('/') ? target : parent->path + "/" + target);
  }
}

std::optional<CopyInto::Node> CopyInto::entry_at(const std::string& path) const {
  const auto parent = merged_.resolve(parent_of(path));
  if (!parent || !parent->is_directory() || path.empty()) return std::nullopt;
  return LayerStack::child(*parent, name_of(path));
}

/// Whether the layers below have a directory there. Files come directory by directory, so the last
/// one is kept.
bool CopyInto::is_directory_below(const image::LayerTree::Directory& parent,
                                  const std::string& name) {
  if (!below_path_ || *below_path_ != parent.path) {
    below_ = lower_.resolve(parent.path);
    below_path_ = parent.path;
  }
  if (!below_ || !below_->is_directory()) return false;
  const auto entry = image::LayerStack::child(*below_, name);
  return entry && entry->is_directory();
}

void CopyInto::copy_node(const SourceTree& tree, Node& node, const DirectoryRef& parent,
                         const std::string& name) {
  const auto own = image::LayerTree::own_entry(*parent, name);
  const bool is_directory = own ? S_ISDIR(own->st_mode) : is_directory_below(*parent, name);
  const std::string place = parent->path.empty() ? name : parent->path + "/" + name;
  if (is_directory) throw os::Error(EISDIR, "copy a file over the directory '/" + place + "'");
  if (own) tree_.clear_place(*parent, name);
  const bool several = node.status.st_nlink > 1;
  if (several) {
    const auto [first, is_new] =
        links_.try_emplace({node.status.st_dev, node.status.st_ino}, place);
    if (!is_new) {
      os::check(::linkat(upper_.get(), first->second.c_str(), parent->fd.get(), name.c_str(), 0),
                [&] { return "link '/" + place + "' to '/" + first->second + "'"; });
      return;
    }
  }
  LayerStack::open(node);
  settle(tree, node.status);
  if (!image::copy_file(node, parent->fd.get(), name)) return;
  if (tree.is_context && S_ISREG(node.status.st_mode) && has_xattrs(node)) {
    const os::UniqueFd made =
        os::open_at(parent->fd.get(), name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    strip_xattrs(made.get());
  }
}

void CopyInto::copy_directory(const SourceTree& tree, const Node& node, const std::string& path) {
  const auto existing = entry_at(path);
  if (existing && !existing->is_directory())
    throw os::Error(ENOTDIR, "copy a directory over '/" + path + "', a " +
                                 (S_ISLNK(existing->status.st_mode) ? "link" : "file"));
  const DirectoryRef made = tree_.directory(path);
  struct stat status = node.status;
  settle(tree, status);
  image::copy_attributes(node.top(), status, made->fd.get(), path);
  if (tree.is_context) strip_xattrs(made->fd.get());
  tree_.set_time_later(*made, status.st_mtim);
}

/// Copies what a walk shows below one directory of the layer.
class CopyInto::Contents : public TreeVisitor {
 public:
  Contents(CopyInto& into, const SourceTree& tree, std::string destination)
      : into_(into), tree_(tree), destination_(std::move(destination)) {}

  void directory(const std::string& path, Node& node) override {
    into_.copy_directory(tree_, node, place(path));
  }
  void file(const std::string& path, Node& node) override {
    const std::string whole = place(path);
    into_.copy_node(tree_, node, into_.tree_.directory(parent_of(whole)), name_of(whole));
  }

 private:
  std::string place(const std::string& path) const {
    return destination_.empty() ? path : destination_ + "/" + path;
  }
  CopyInto& into_;
  const SourceTree& tree_;
  std::string destination_;
};

void CopyInto::copy(const SourceTree& tree, const Selected& selected,
                    const std::string& destination, const Ignore& excludes) {
  Node node = open_selected(tree, selected);
  links_.clear();
  std::string target = destination;
  if (!selected.kept.empty()) {
    const std::string kept = node.is_directory() ? selected.kept : parent_of(selected.kept);
    target = clean_relative(destination) + "/" + kept + "/";
    keep_directories(tree, selected, kept, clean_relative(destination));
  }
  if (!node.is_directory()) {
    const std::string name = name_of(selected.path);
    if (excludes.ignores(name) || excludes.ignores(selected.path)) return;
    const auto [parent, place] = place_of(target, name);
    return copy_node(tree, node, parent, place);
  }
  const std::string path = clean_relative(target);
  const bool is_new = !merged_.resolve(path);
  const DirectoryRef top = ensure(path);
  if (is_new) {
    struct stat status = node.status;
    settle(tree, status);
    tree_.set_time_later(*top, status.st_mtim);
  }
  Contents contents(*this, tree, path);
  walk_tree(tree, node, selected.path, excludes, contents);
}

/// Makes the directories `kept` of the source below `destination`, with their attributes.
void CopyInto::keep_directories(const SourceTree& tree, const Selected& selected,
                                const std::string& kept, const std::string& destination) {
  ensure(destination);
  const std::string source = selected.path.substr(
      0, selected.path.size() - std::min(selected.kept.size(), selected.path.size()));
  for (std::size_t end = 0; end < kept.size();) {
    end = std::min(kept.find('/', end + 1), kept.size());
    const std::string path = kept.substr(0, end);
    const auto node = tree.stack.resolve(source + path);
    if (node && node->is_directory())
      copy_directory(tree, *node, destination.empty() ? path : destination + "/" + path);
  }
}

void CopyInto::unpack(const image::ByteSource& archive, const std::string& destination) {
  const std::string mode = std::exchange(options_.mode, "");
  const DirectoryRef top = ensure(clean_relative(destination));
  options_.mode = mode;
  const auto lower = lower_.resolve(top->path);
  std::vector<std::string> below;
  if (lower && lower->is_directory())
    for (const os::UniqueFd& part : lower->merged)
      below.push_back("/proc/self/fd/" + std::to_string(part.get()));
  image::unpack_archive(top->fd.get(), LayerStack(below), archive, options_.owner);
  tree_.forget();
  below_path_.reset();
}

void CopyInto::write(const std::string& name, const std::string& content,
                     const std::string& destination, mode_t mode,
                     std::optional<std::int64_t> time) {
  const auto [parent, place] = place_of(destination, name);
  const auto own = image::LayerTree::own_entry(*parent, place);
  if (own && S_ISDIR(own->st_mode))
    throw os::Error(EISDIR, "copy a file over the directory '" + destination + "'");
  tree_.clear_place(*parent, place);
  const os::UniqueFd fd =
      os::open_at(parent->fd.get(), place, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
  os::write_all(fd.get(), content, place);
  struct stat status {};
  status.st_mode = S_IFREG | mode;
  SourceTree nowhere{.stack = image::LayerStack({}), .ignore = {}, .is_context = true, .name = ""};
  settle(nowhere, status);
  os::check(::fchown(fd.get(), status.st_uid, status.st_gid),
            [&] { return "set the owner of '" + place + "'"; });
  os::check(::fchmod(fd.get(), status.st_mode & 07777),
            [&] { return "set the mode of '" + place + "'"; });
  if (!time) return;
  const timespec moment{.tv_sec = *time, .tv_nsec = 0};
  const std::array<timespec, 2> times{moment, moment};
  os::check(::futimens(fd.get(), times.data()), [&] { return "set the times of '" + place + "'"; });
}

void CopyInto::make_directory(const std::string& path) { ensure(clean_relative(path)); }

void CopyInto::finish() { tree_.set_times(); }

}  // namespace build
