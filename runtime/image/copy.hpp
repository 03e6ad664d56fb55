// Copies of files as layers and volumes need them: everything that makes a file what it is, by
// descriptor, and nothing that belongs to overlayfs.
#pragma once

#include <sys/stat.h>

#include <string>
#include <string_view>

#include "runtime/image/layer_stack.hpp"

namespace image {

/// The extended attributes that may enter a layer or a volume: user.* without overlayfs's own, and
/// security.capability. All others can change what the kernel shows or allows.
bool is_allowed_xattr(std::string_view name);

/// Gives the open file or directory `to` the owner, the allowed extended attributes and the mode of
/// `from`, in the order that keeps each (chown(2) clears capabilities and set-user-ID).
void copy_attributes(int from, const struct stat& status, int to, const std::string& name);
/// Gives `fd` the times of `status`.
void copy_times(const struct stat& status, int fd, const std::string& name);
/// Makes a copy of the non-directory `node` as `name`, which must not exist, in the directory `to`:
/// regular files with their holes, symbolic links, FIFOs and devices. False for sockets, which
/// mean nothing without the process that listens.
bool copy_file(const LayerStack::Node& node, int to, const std::string& name);

}  // namespace image
