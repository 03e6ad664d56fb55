// libnftables (libnftables(3)): commands in the language of nft(8), one transaction per call, in
// the calling thread's network namespace.
#pragma once

#include <string>

namespace network {

/// Carries all of `commands` out or nothing of it. Throws os::Error with the library's words;
/// code() is ENOENT when something that the commands build on is not there.
void nft_commit(const std::string& commands);

/// Whether there is a table of this name in `family` ("ip", "ip6", "inet").
bool nft_has_table(const std::string& family, const std::string& table);

/// Makes `ruleset`, which defines `table` of `family` and fills it, what there is of
/// that table, in one transaction. A table that is not there yet is not deleted first: whoever
/// deletes anything waits for a grace period of the kernel (RCU) when it closes its socket.
void nft_replace_table(const std::string& family, const std::string& table,
                       const std::string& ruleset);

/// The answer to a "list …" command as JSON text (libnftables-json(5)); "" when what is asked for
/// does not exist.
std::string nft_list(const std::string& command);

}  // namespace network
