// A host made of namespaces: the test's own thread is the host, with an outside neighbour on a
// wire. Nothing of the real host is touched, and all of it ends with the test's process.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/os/fd.hpp"
#include "runtime/os/file.hpp"

namespace network::testing {

inline constexpr int kHere = -1;  ///< instead of a namespace: the calling thread's

/// A network namespace without a name.
os::UniqueFd make_namespace();

/// Host 192.0.2.2 and fd00:2::2 on eth0, MTU 1400, with a default route by its neighbour 192.0.2.9.
/// The neighbour has routes by the host into 172.16.0.0/12 and 100.64.0.0/10.
class SyntheticHost {
 public:
  SyntheticHost();
  /// Takes the networks away that a test left.
  ~SyntheticHost();
  SyntheticHost(const SyntheticHost&) = delete;
  SyntheticHost& operator=(const SyntheticHost&) = delete;
  int outside() const { return outside_.get(); }
  const std::string& run_dir() const { return directory_.path(); }

 private:
  void enter_own_namespaces();
  os::TempDir directory_;
  os::UniqueFd outside_;
};

/// A listening TCP socket inside the namespace.
os::UniqueFd listen_in(int netns, const std::string& address, std::uint16_t port);

/// Connects from inside `netns` to address and port and takes the connection at `listener`: the
/// client's address as the listener sees it, nothing when it does not get there within a moment.
std::optional<std::string> reach(int netns, const std::string& address, std::uint16_t port,
                                 int listener);

/// A UDP socket inside the namespace; port 0 is any.
os::UniqueFd udp_in(int netns, const std::string& address, std::uint16_t port);
/// Sends one datagram from `socket` and receives it at `receiver`: where it came from.
std::optional<std::string> send_datagram(int socket, const std::string& address, std::uint16_t port,
                                         int receiver);

/// The names of all devices in the namespace.
std::vector<std::string> devices_in(int netns);

}  // namespace network::testing
