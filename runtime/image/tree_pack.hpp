// A file or a directory with all below it as a tar stream. Everything is reached by descriptor and
// no link is followed, so that whoever changes the tree meanwhile leads nowhere else.
#pragma once

#include <string>

namespace image {

/// Writes what `object` (O_PATH, a link as itself) is, and all below it, to `output` as a tar (pax)
/// whose names begin with `name`; "." for the content of a directory alone. Sockets are left out,
/// holes become zeros, a file that grows or shrinks meanwhile keeps the length that it had. Throws
/// os::Error, also past 200 directories above one another.
void pack_tree(int object, const std::string& name, int output);

}  // namespace image
