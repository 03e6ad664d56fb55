#include "network/endpoint.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>

#include "network/link.hpp"
#include "network/netlink.hpp"
#include "network/nftables.hpp"
#include "network/route.hpp"
#include "network/sysctl.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/namespace.hpp"

namespace network {

namespace {

constexpr int kDnsBacklog = 64;

void bring_loopback_up(NetlinkSocket& socket) {
  socket.request(bring_link_up(link_index(socket, "lo"), "lo"));
}

void prepare_interface(const Interface& interface) {
  const bool v6 = std::any_of(interface.addresses.begin(), interface.addresses.end(),
                              [](const auto& address) { return !address.first.is_v4(); });
  set_sysctl_if_present("net/ipv6/conf/" + interface.name + "/disable_ipv6", v6 ? "0" : "1");
  // A neighbour that may send anything must not become a router.
  set_sysctl_if_present("net/ipv6/conf/" + interface.name + "/accept_ra", "0");
  // Neighbours that knew the address under another MAC hear of the change.
  set_sysctl_if_present("net/ipv4/conf/" + interface.name + "/arp_notify", "1");
  if (v6) set_sysctl_if_present("net/ipv6/conf/" + interface.name + "/ndisc_notify", "1");
  for (const auto& [name, value] : interface.sysctls)
    set_sysctl(interface_sysctl(name, interface.name), value);
}

os::UniqueFd bind_resolver(int type) {
  os::UniqueFd socket(os::check(::socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
                                [] { return std::string("open a DNS socket"); }));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = ::inet_addr("127.0.0.11");
  os::check(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)),
            [] { return std::string("bind a DNS socket to 127.0.0.11"); });
  if (type == SOCK_STREAM) {
    os::check(::listen(socket.get(), kDnsBacklog),
              [] { return std::string("listen on a DNS socket"); });
  }
  return socket;
}

std::string bound_port(const os::UniqueFd& socket) {
  sockaddr_in address{};
  socklen_t size = sizeof(address);
  os::check(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size),
            [] { return std::string("read the port of a DNS socket"); });
  return std::to_string(ntohs(address.sin_port));
}

std::string dns_ruleset(const DnsSockets& sockets) {
  const std::string to_dns = "    ip daddr 127.0.0.11 ";
  return "table ip stack-dns {\n  chain output {\n"
         "    type nat hook output priority -100; policy accept;\n" +
         to_dns + "udp dport 53 dnat to 127.0.0.11:" + bound_port(sockets.udp) + "\n" + to_dns +
         "tcp dport 53 dnat to 127.0.0.11:" + bound_port(sockets.tcp) + "\n  }\n}\n";
}

}  // namespace

void configure_interfaces(int netns, const std::vector<Interface>& interfaces) {
  os::in_network_namespace(netns, [&] {
    NetlinkSocket socket;
    std::vector<NetlinkMessage> settings;
    std::vector<NetlinkMessage> routes;
    settings.push_back(bring_link_up(link_index(socket, "lo"), "lo"));
    for (const Interface& interface : interfaces) {
      prepare_interface(interface);
      const int index = link_index(socket, interface.name);
      for (const auto& [address, prefix] : interface.addresses) {
        settings.push_back(add_address(index, address, prefix, interface.name));
      }
      settings.push_back(bring_link_up(index, interface.name));
      for (const IpAddress& gateway : interface.default_gateways) {
        routes.push_back(add_default_route(gateway, index));
      }
    }
    std::move(routes.begin(), routes.end(), std::back_inserter(settings));
    socket.request(std::move(settings));
    for (const Interface& interface : interfaces) await_operational(socket, interface.name);
  });
}

void configure_loopback(int netns) {
  os::in_network_namespace(netns, [] {
    NetlinkSocket socket;
    bring_loopback_up(socket);
  });
}

DnsSockets open_dns_sockets(int netns) {
  DnsSockets sockets;
  os::in_network_namespace(netns, [&] {
    NetlinkSocket socket;
    bring_loopback_up(socket);
    sockets.udp = bind_resolver(SOCK_DGRAM);
    sockets.tcp = bind_resolver(SOCK_STREAM);
    nft_replace_table("ip", "stack-dns", dns_ruleset(sockets));
  });
  return sockets;
}

}  // namespace network
