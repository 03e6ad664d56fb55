// What names a git repository as a source of files: `https://host/repository.git#ref:directory`,
// `git@host:path`, and the same in a query (BuildKit's rules for remote contexts and ADD). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace build {

/// A repository, and what of it is meant.
struct GitSource {
  std::string remote;        ///< what the git program is given
  std::string ref;           ///< branch, tag, refs/… or commit; empty: what the remote's HEAD is
  std::string subdirectory;  ///< clean; "" is all of it
  std::string checksum;      ///< with which the commit must begin; empty: any
  bool submodules = true;
  bool keep_git_directory = false;

  bool operator==(const GitSource&) const = default;
};

/// Reads `text`; nothing when it names no git repository. `shorthand`: whether github.com/… does,
/// which a local path might be, too. Throws os::Error for a repository with a part that cannot be.
std::optional<GitSource> parse_git_source(const std::string& text, bool shorthand);

/// Whether the text is a whole commit: 40 or 64 hexadecimal digits.
bool is_commit(std::string_view text);

/// The remote without a password, for people to see.
std::string shown_remote(const std::string& remote);

}  // namespace build
