// .dockerignore: which files of a build context do not exist for the build. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace build {

class Ignore {
 public:
  /// Nothing is ignored.
  Ignore() = default;
  /// Throws os::Error that names the line with a pattern that cannot be.
  static Ignore parse(std::string_view text);
  /// The same for patterns that are given one by one (`--exclude`).
  static Ignore of(const std::vector<std::string>& patterns);

  bool empty() const noexcept { return patterns_.empty(); }
  /// Whether the file or directory at `path` (relative, clean) is out: the last pattern that fits
  /// it or one of its parents decides.
  bool ignores(std::string_view path) const;
  /// Whether something below the ignored directory `path` may be taken back by an exception.
  bool may_return_below(std::string_view path) const;

 private:
  struct Pattern {
    std::string text;
    bool exception = false;
    bool literal = false;
  };
  void add(std::string_view line);
  std::vector<Pattern> patterns_;
  bool has_exceptions_ = false;
};

/// `path` without ".", "..", doubled and trailing slashes, relative to a root that ".." does not
/// leave; "" is the root itself.
std::string clean_relative(std::string_view path);

}  // namespace build
