// Where a value stands in a tree of nodes: the keys that lead to it. An item of a sequence is
// written `[N]`. The tables of the phases name places by patterns such as `services.*.build.args`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace manifests {

using TreePath = std::vector<std::string>;

/// `[N]`
std::string index_segment(std::size_t index);

/// `services.web.ports[0]`, as people read it.
std::string dotted(const TreePath& path);

/// Whether `path` has the form of `pattern`: segments separated by dots, `*` for any one key or
/// item.
bool matches(const TreePath& path, std::string_view pattern);

/// Makes `path` one segment longer as long as it lives.
class Descent {
 public:
  Descent(TreePath& path, std::string segment) : path_(path) {
    path_.push_back(std::move(segment));
  }
  ~Descent() { path_.pop_back(); }
  Descent(const Descent&) = delete;
  Descent& operator=(const Descent&) = delete;

 private:
  TreePath& path_;
};

}  // namespace manifests
