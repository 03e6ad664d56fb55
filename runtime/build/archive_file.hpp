// Files that are archives, told by what is in them and never by their name.
#pragma once

#include <string>

namespace build {

/// Whether what follows at the descriptor is a tar, compressed or not. Reads from it.
bool is_archive(int fd);

/// Unpacks the tar, compressed or not, at the descriptor into the new directory `directory`, inside
/// of which everything stays; `name` is for messages. Throws os::Error that names the entry.
void unpack_archive(int fd, const std::string& name, const std::string& directory);

}  // namespace build
