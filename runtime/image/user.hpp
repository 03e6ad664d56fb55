// From a `user` as Compose and images write it to numbers, by the container's own /etc/passwd and
// /etc/group (the rules of Docker, made strict where it guesses). Pure.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

namespace image {

/// Whom a container's process runs as.
struct User {
  uid_t uid = 0;
  gid_t gid = 0;
  /// For setgroups(2): the primary group, those of /etc/group, the added ones; each once.
  std::vector<gid_t> groups;
  std::string home = "/";

  bool operator==(const User&) const = default;
};

/// `user` is "", "u", "u:g"; names or numbers; digits are an id and never a name. `added` are the
/// groups of group_add. `passwd` and `group` are the texts of the files, empty when missing. Groups
/// of /etc/group count only when no group is given. Throws os::Error in Docker's words: "unable to
/// find user X: no matching entries in passwd file".
User resolve_user(std::string_view user, const std::vector<std::string>& added,
                  std::string_view passwd, std::string_view group);

}  // namespace image
