// The inside of an endpoint: its interfaces' addresses and routes, loopback, the way to its DNS.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "network/ip_address.hpp"
#include "network/network.hpp"

namespace network {

/// An interface that is in the endpoint's namespace already, down.
struct Interface {
  std::string name;
  std::vector<std::pair<IpAddress, int>> addresses;  ///< each with its prefix length
  std::vector<IpAddress> default_gateways;           ///< at most one per family
  std::map<std::string, std::string> sysctls;        ///< see EndpointSpec
};

/// Brings loopback and the interfaces up in `netns`, with addresses and default routes.
void configure_interfaces(int netns, const std::vector<Interface>& interfaces);

/// Loopback up, nothing more.
void configure_loopback(int netns);

/// Sockets on 127.0.0.11 in `netns` and the rule that leads port 53 there to them, in table
/// `ip stack-dns`. A listener on port 53 itself would take it from the endpoint's programs.
DnsSockets open_dns_sockets(int netns);

}  // namespace network
