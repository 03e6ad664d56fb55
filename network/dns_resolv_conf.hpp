// The resolvers that resolv.conf(5) names, kept current.
#pragma once

#include <sys/socket.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace network {

/// The address of a resolver, ready for connect(2).
struct DnsServerAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  int family() const noexcept { return storage.ss_family; }
  const sockaddr* get() const noexcept { return reinterpret_cast<const sockaddr*>(&storage); }
};

/// resolv.conf(5): MAXNS.
inline constexpr std::size_t kMaximumDnsServers = 3;

/// Reads "192.0.2.1", "2001:db8::1" or "fe80::1%eth0"; nothing when it is no IP address.
std::optional<DnsServerAddress> parse_dns_server(std::string_view text, std::uint16_t port);

/// The first three name servers of a resolv.conf(5), each once; lines that name none are passed
/// over. Without any it is the local machine, as that page has it.
std::vector<DnsServerAddress> parse_resolv_conf(std::string_view text, std::uint16_t port);

/// A resolv.conf that is read again when the file has changed.
class ResolvConf {
 public:
  /// The file is looked at no more often than every `interval`.
  ResolvConf(std::string path, std::uint16_t port,
             std::chrono::milliseconds interval = std::chrono::seconds(1));

  /// The resolvers as of now. A file that cannot be
  /// read leaves those known before.
  const std::vector<DnsServerAddress>& servers();

 private:
  /// What stat(2) says of the file's content.
  struct Version {
    std::uint64_t inode = 0;
    std::int64_t size = -1;
    std::int64_t modified_ns = 0;
    bool operator==(const Version&) const = default;
  };

  std::string path_;
  std::uint16_t port_;
  std::chrono::milliseconds interval_;
  std::vector<DnsServerAddress> servers_;
  Version version_;
  std::chrono::steady_clock::time_point next_look_;
};

}  // namespace network
