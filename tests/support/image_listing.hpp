// What an archive of `save` holds, as text that two builders can be compared by: the files that the
// image has beyond its base, and its configuration. It reads layers with code of its own, so that
// a mistake of our reader cannot hide one of our writer.
#pragma once

#include <string>

namespace support {

/// One line per path, in order of paths:
///
///     dir 0755 0:0 /d
///     file 4755 0:0 /d/f "content\n"         or its size and SHA-256 where it is long
///     file = /d/f /d/g                       another name of that file
///     link 0:0 /d/l -> f                     char, block (with numbers), fifo likewise
///     gone /seed/file                        the base had it
///
/// with " {name=hex}" for extended attributes and " @SECONDS" for a time of change that someone has
/// set (2001 to 2014). What the first layer brought, if that is busybox, is the base and is left
/// out as far as it is as before. Then come "config KEY JSON", "author JSON" and "history TEXT",
/// with "(empty)" where there is no layer. Times and digests are left out.
/// `archive` is a file that docker save or `stack save` wrote, with one image in it. Throws
/// std::runtime_error when it cannot be read.
std::string list_image(const std::string& archive);

}  // namespace support
