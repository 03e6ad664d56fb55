#include "network/dns_resolv_conf.hpp"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace network {
namespace {

constexpr std::size_t kMaximumFile = 64 * 1024;
constexpr std::string_view kSpace = " \t\r";

// The next word of a line, taken off its front; empty at its end.
std::string_view take_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(kSpace), line.size()));
  const std::string_view word = line.substr(0, line.find_first_of(kSpace));
  line.remove_prefix(word.size());
  return word;
}

bool same(const DnsServerAddress& a, const DnsServerAddress& b) {
  return a.size == b.size && std::memcmp(&a.storage, &b.storage, a.size) == 0;
}

}  // namespace

std::optional<DnsServerAddress> parse_dns_server(std::string_view text, std::uint16_t port) {
  DnsServerAddress server;
  const std::size_t percent = std::min(text.find('%'), text.size());
  const std::string address(text.substr(0, percent));
  sockaddr_in v4{};
  if (::inet_pton(AF_INET, address.c_str(), &v4.sin_addr) == 1 && percent == text.size()) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&server.storage, &v4, sizeof v4);
    server.size = sizeof v4;
    return server;
  }
  sockaddr_in6 v6{};
  if (::inet_pton(AF_INET6, address.c_str(), &v6.sin6_addr) != 1) return std::nullopt;
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  if (percent < text.size()) {
    v6.sin6_scope_id = ::if_nametoindex(std::string(text.substr(percent + 1)).c_str());
    if (v6.sin6_scope_id == 0) return std::nullopt;
  }
  std::memcpy(&server.storage, &v6, sizeof v6);
  server.size = sizeof v6;
  return server;
}

std::vector<DnsServerAddress> parse_resolv_conf(std::string_view text, std::uint16_t port) {
  std::vector<DnsServerAddress> servers;
  while (!text.empty() && servers.size() < kMaximumDnsServers) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (take_word(line) != "nameserver") continue;
    const auto server = parse_dns_server(take_word(line), port);
    if (!server) continue;
    const bool known =
        std::ranges::any_of(servers, [&](const auto& other) { return same(*server, other); });
    if (!known) servers.push_back(*server);
  }
  if (servers.empty()) servers.push_back(*parse_dns_server("127.0.0.1", port));
  return servers;
}

ResolvConf::ResolvConf(std::string path, std::uint16_t port, std::chrono::milliseconds interval)
    : path_(std::move(path)),
      port_(port),
      interval_(interval),
      servers_(parse_resolv_conf("", port)) {}

const std::vector<DnsServerAddress>& ResolvConf::servers() {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_look_) return servers_;
  next_look_ = now + interval_;
  struct stat status {};
  if (::stat(path_.c_str(), &status) != 0) return servers_;
  const Version version{status.st_ino, status.st_size,
                        status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec};
  if (version == version_) return servers_;
  try {
    const auto text = os::read_file_if_exists(path_, kMaximumFile);
    if (!text) return servers_;
    servers_ = parse_resolv_conf(*text, port_);
    version_ = version;
  } catch (const os::Error&) {
    // The resolvers known before are better than none.
  }
  return servers_;
}

}  // namespace network
