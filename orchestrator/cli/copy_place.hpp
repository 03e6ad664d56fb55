// The two ends of a `cp`: what is meant by a path, on the host or in a container (Docker's rules).
#pragma once

#include <optional>
#include <string>

#include "runtime/os/fd.hpp"

namespace cli {

/// "SERVICE:PATH", a path of the host, or "-".
struct CopyEnd {
  std::string service;  ///< empty: the host
  std::string path;
  bool is_stream() const { return service.empty() && path == "-"; }
};
/// What begins with `/` or `.` is of the host, whatever colons follow. Pure.
CopyEnd parse_copy_end(const std::string& text);

/// What is copied.
struct CopySource {
  os::UniqueFd object;  ///< O_PATH; a link as itself unless it is to be followed
  std::string name;     ///< the last component of its path
  bool is_directory = false;
  bool content_only = false;  ///< the path ends with "/."
};
/// `root` is O_PATH; the path is resolved inside of it. Throws os::Error(ENOENT).
CopySource open_copy_source(int root, const std::string& path, bool follow_link);

/// Where it goes to.
struct CopyTarget {
  std::string directory;  ///< that exists; inside the root
  std::string name;       ///< that it gets there; "." for its content
};
/// Throws os::Error in Docker's words: a directory onto a file, a directory that is not there.
CopyTarget choose_copy_target(int root, const std::string& path, const std::string& source_name,
                              bool is_directory, bool content_only);

}  // namespace cli
