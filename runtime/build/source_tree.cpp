#include "runtime/build/source_tree.hpp"

#include <algorithm>

#include "runtime/build/glob.hpp"
#include "runtime/build/mistake.hpp"
#include "runtime/os/error.hpp"

namespace build {

namespace {

using image::LayerStack;

constexpr int kMaxDepth = 256;
/// How many names a wildcard may lead to.
constexpr std::size_t kMaxMatches = 1'000'000;

std::string join(const std::string& directory, const std::string& name) {
  return directory.empty() ? name : directory + "/" + name;
}

std::vector<std::string> split(const std::string& path) {
  std::vector<std::string> names;
  std::size_t begin = 0;
  while (begin < path.size()) {
    const auto end = std::min(path.find('/', begin), path.size());
    names.push_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return names;
}

bool shows_below(const SourceTree& tree, const LayerStack::Node& node, const std::string& path,
                 int depth) {
  if (depth > kMaxDepth || !tree.ignore.may_return_below(path)) return false;
  for (const std::string& name : LayerStack::names(node)) {
    const std::string place = join(path, name);
    if (!tree.ignore.ignores(place)) return true;
    const auto child = LayerStack::child(node, name);
    if (child && child->is_directory() && shows_below(tree, *child, place, depth + 1)) return true;
  }
  return false;
}

bool is_out(const SourceTree& tree, const LayerStack::Node& node, const std::string& path) {
  return tree.ignore.ignores(path) && !(node.is_directory() && shows_below(tree, node, path, 0));
}

/// Finds the paths that fit a pattern, one name at a time.
class Glob {
 public:
  Glob(const SourceTree& tree, std::vector<std::string> parts, bool double_star)
      : tree_(tree), parts_(std::move(parts)), double_star_(double_star) {}

  std::vector<std::string> run() {
    descend("", 0, 0);
    std::sort(found_.begin(), found_.end());
    found_.erase(std::unique(found_.begin(), found_.end()), found_.end());
    return std::move(found_);
  }

 private:
  void descend(const std::string& path, std::size_t part, int depth) {
    if (found_.size() > kMaxMatches || depth > kMaxDepth)
      throw os::Error("a wildcard leads to too many files");
    if (part == parts_.size()) {
      if (!path.empty()) found_.push_back(path);
      return;
    }
    const std::string& pattern = parts_[part];
    if (double_star_ && pattern == "**") {
      descend(path, part + 1, depth);
      for_children(path, [&](const std::string& name, const LayerStack::Node& node) {
        if (node.is_directory()) descend(join(path, name), part, depth + 1);
      });
      return;
    }
    if (!has_wildcard(pattern)) {
      const std::string next = join(path, pattern);
      const auto node = tree_.stack.resolve(next);
      if (node && !is_out(tree_, *node, next)) descend(next, part + 1, depth + 1);
      return;
    }
    for_children(path, [&](const std::string& name, const LayerStack::Node&) {
      if (match_path(pattern, name)) descend(join(path, name), part + 1, depth + 1);
    });
  }

  template <class Take>
  void for_children(const std::string& path, Take&& take) {
    const auto node = tree_.stack.resolve(path);
    if (!node || !node->is_directory()) return;
    for (const std::string& name : LayerStack::names(*node)) {
      const auto child = LayerStack::child(*node, name);
      if (child && !is_out(tree_, *child, join(path, name))) take(name, *child);
    }
  }

  const SourceTree& tree_;
  std::vector<std::string> parts_;
  bool double_star_;
  std::vector<std::string> found_;
};

/// The entry itself, and not what a link leads to.
std::optional<LayerStack::Node> find_entry(const SourceTree& tree, const std::string& path) {
  const auto slash = path.rfind('/');
  const auto parent = tree.stack.resolve(slash == std::string::npos ? "" : path.substr(0, slash));
  if (!parent || !parent->is_directory()) return std::nullopt;
  return LayerStack::child(*parent, path.substr(slash == std::string::npos ? 0 : slash + 1));
}

[[noreturn]] void not_found(const SourceTree& tree, const std::string& path) {
  const auto slash = path.rfind('/');
  const std::string parent = slash == std::string::npos ? "" : path.substr(0, slash);
  std::string message = "\"/" + path + "\": not found";
  if (!tree.name.empty()) message += " in " + tree.name;
  if (tree.ignore.ignores(path) && tree.stack.resolve(path)) {
    message += ": it is excluded by .dockerignore";
  } else if (find_entry(tree, path)) {
    message += ": it is a link, and links are followed inside of the context alone";
  } else if (const auto node = tree.stack.resolve(parent); node && node->is_directory()) {
    const std::string near =
        nearest(path.substr(slash == std::string::npos ? 0 : slash + 1), LayerStack::names(*node));
    if (!near.empty()) message += "; did you mean " + join(parent, near) + "?";
  }
  throw os::Error(message);
}

/// With --parents, "a/./b/c" keeps "b": what stands between the mark and the last name.
std::string kept_directories(const std::string& written, const std::string& path) {
  std::string kept = path;
  if (const auto mark = written.find("/./"); mark != std::string::npos) {
    const std::size_t skipped = split(clean_relative(written.substr(0, mark))).size();
    const std::vector<std::string> names = split(path);
    kept.clear();
    for (std::size_t i = skipped; i < names.size(); ++i) kept = join(kept, names[i]);
  }
  return kept;
}

class Walk {
 public:
  Walk(const SourceTree& tree, const Ignore& excludes, TreeVisitor& visitor)
      : tree_(tree), excludes_(excludes), visitor_(visitor) {}

  void directory(const LayerStack::Node& node, const std::string& path, const std::string& relative,
                 int depth) {
    if (depth > kMaxDepth) throw os::Error(ELOOP, "read '" + path + "', which lies too deep");
    for (const std::string& name : LayerStack::names(node)) {
      auto child = LayerStack::look(node, name);
      if (!child) continue;  // removed meanwhile
      const std::string place = join(path, name);
      const std::string below = join(relative, name);
      const bool out = tree_.ignore.ignores(place) || excludes_.ignores(below);
      if (!child->is_directory()) {
        if (out) continue;
        show_pending();
        visitor_.file(below, *child);
        continue;
      }
      if (out && !tree_.ignore.may_return_below(place) && !excludes_.may_return_below(below))
        continue;
      // An ignored directory shows only when something in it does.
      const std::size_t before = pending_.size();
      pending_.push_back({below, &*child});
      if (!out) show_pending();
      directory(*child, place, below, depth + 1);
      if (pending_.size() > before) pending_.resize(before);
    }
  }

 private:
  struct Pending {
    std::string path;
    LayerStack::Node* node = nullptr;
  };

  void show_pending() {
    for (const Pending& each : pending_) visitor_.directory(each.path, *each.node);
    pending_.clear();
  }

  const SourceTree& tree_;
  const Ignore& excludes_;
  TreeVisitor& visitor_;
  std::vector<Pending> pending_;
};

}  // namespace

std::vector<Selected> select_sources(const SourceTree& tree,
                                     const std::vector<std::string>& patterns, bool parents) {
  std::vector<Selected> selected;
  for (const std::string& pattern : patterns) {
    const std::string path = clean_relative(pattern);
    const std::string mistake = pattern_mistake(path);
    const bool wildcard = has_wildcard(path) && mistake.empty();
    std::vector<std::string> found;
    if (wildcard) {
      found = Glob(tree, split(path), parents).run();
    } else {
      const auto node = tree.stack.resolve(path);
      if (!node || is_out(tree, *node, path)) not_found(tree, path);
      found = {path};
    }
    for (const std::string& each : found) {
      Selected item{.path = each, .kept = "", .by_wildcard = wildcard};
      if (parents) item.kept = kept_directories(pattern, each);
      selected.push_back(std::move(item));
    }
  }
  return selected;
}

LayerStack::Node open_selected(const SourceTree& tree, const Selected& selected) {
  auto node = tree.stack.resolve(selected.path);
  if (!node && selected.by_wildcard) node = find_entry(tree, selected.path);
  if (!node) not_found(tree, selected.path);
  return *std::move(node);
}

bool shows_anything(const SourceTree& tree, const LayerStack::Node& node, const std::string& path) {
  return shows_below(tree, node, path, 0);
}

void walk_tree(const SourceTree& tree, const LayerStack::Node& top, const std::string& path,
               const Ignore& excludes, TreeVisitor& visitor) {
  Walk(tree, excludes, visitor).directory(top, path, "", 0);
}

}  // namespace build
