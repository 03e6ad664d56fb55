// libnftables (libnftables(3)): commands in the language of nft(8), one transaction per call, in
// the calling thread's network namespace.
#pragma once

#include <string>

namespace network {

/// Carries all of `commands` out or nothing of it. Throws os::Error with the library's words;
/// code() is ENOENT when something that the commands build on is not there.
void nft_commit(const std::string& commands);

/// The answer to a "list …" command as JSON text (libnftables-json(5)); "" when what is asked for
/// does not exist.
std::string nft_list(const std::string& command);

}  // namespace network
