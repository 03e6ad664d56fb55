// The names on networks that stacks share, as their supervisors write them down, in the zone of
// this supervisor: read anew whenever one of them changes (inotify(7)).
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <map>
#include <string>

#include "network/dns_zone.hpp"
#include "orchestrator/shared_networks.hpp"

namespace orchestrator {

/// Not thread-safe: all on the thread that runs `io`.
class SharedNames {
 public:
  SharedNames(boost::asio::io_context& io, const SharedNetworks& networks, network::DnsZone& zone);

  /// Keeps the names of this network in the zone from now on.
  void follow(const std::string& network);
  bool follows(const std::string& network) const { return known_.contains(network); }
  /// Reads them now.
  void refresh(const std::string& network);

 private:
  void wait();
  void take();

  const SharedNetworks& networks_;
  network::DnsZone& zone_;
  boost::asio::posix::stream_descriptor inotify_;
  std::map<int, std::string> watches_;
  /// Network → owner → what the zone has of it.
  std::map<std::string, std::map<std::string, network::DnsEndpoint>> known_;
};

}  // namespace orchestrator
