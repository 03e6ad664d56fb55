// Hears of every change of the firewall (nftables' multicast group, nfnetlink(7)): a reload of the
// host's own rules often begins with `flush ruleset`, which takes ours too.
#pragma once

#include <span>

#include "runtime/os/fd.hpp"

namespace network {

/// Watches the network namespace of the thread that makes it.
class FirewallWatch {
 public:
  /// Throws os::Error.
  FirewallWatch();

  /// Readable when take() may have something.
  int fd() const noexcept { return fd_.get(); }
  /// Gives the descriptor away; take_from() reads it.
  os::UniqueFd release() { return std::move(fd_); }
  /// Reads all that has come. True when something of our table, or of the table `filter` that
  /// others drop forwarded packets with, was taken away or made anew, or when too much came to
  /// know.
  static bool take_from(int fd);

 private:
  os::UniqueFd fd_;
};

/// Whether one datagram of the group tells of such a change. Pure.
bool tells_of_loss(std::span<const char> datagram);

}  // namespace network
