// Names as archives hold them, made safe to use. Pure.
#pragma once

#include <string>
#include <string_view>

#include "runtime/image/limits.hpp"

namespace image {

/// A cleaned path inside a layer.
struct EntryPath {
  std::string parent;  ///< "" is the root; never "." or ".." in it
  std::string name;    ///< "" for the root itself
  bool is_root() const { return name.empty(); }
};

/// Cleans `path`: leading and doubled slashes and "." go, ".." takes back the name before it.
/// Throws os::Error when ".." leaves the root, when a name is longer than 255 bytes or the path
/// longer than the limit, and when a directory on the way has the name of a whiteout (".wh.…").
EntryPath clean_entry_path(std::string_view path, const Limits& limits);

enum class Mark {
  none,
  whiteout,  ///< ".wh.NAME": lower layers' NAME is removed
  opaque,    ///< ".wh..wh..opq": all that lower layers have in this directory is removed
  ignored,   ///< other ".wh..wh.…": what aufs left behind
};

/// What the name of an entry means (OCI image specification, layer.md, "Whiteouts"); `target`
/// receives the NAME of a whiteout. Throws os::Error for a whiteout of nothing, "." or "..".
Mark whiteout_mark(std::string_view name, std::string& target);

}  // namespace image
