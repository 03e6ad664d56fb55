// Packets from containers and from resolvers, through all that reads them. Besides memory errors it
// looks for a reply that is larger than allowed or that answers nothing.
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "network/dns_message.hpp"
#include "network/dns_zone.hpp"
#include "tests/fuzz/require.hpp"

namespace {

using fuzz::require;
using network::DnsAnswer;
using network::DnsBytes;
using network::DnsTransport;

network::DnsZone make_zone() {
  network::DnsZone zone(1);
  zone.set_network("a_b", {"10.0.0.0/8", "fd00::/64"});
  zone.set("a_b", "1", {"a", {"b", "c.d"}, {"10.0.0.1", "10.0.0.2", "fd00::1"}});
  return zone;
}

void answer(DnsBytes packet, DnsTransport transport) {
  static network::DnsZone zone = make_zone();
  static const network::DnsView view{.networks = {"a_b"}};
  static std::vector<std::uint8_t> reply(network::kDnsMaximumMessageSize);
  const DnsAnswer answer = zone.answer(packet, view, transport, reply);
  const auto query = network::parse_dns_query(packet);
  require(query.has_value() == (answer.action != DnsAnswer::Action::drop));
  if (answer.action != DnsAnswer::Action::reply) return;
  require(answer.size <= query->reply_limit(transport));
  const DnsBytes sent = DnsBytes(reply).first(answer.size);
  require(network::dns_id(sent) == query->id);
  if (query->rcode == network::DnsRcode::noerror) {
    require(network::match_dns_reply(sent, packet).has_value());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const DnsBytes packet(data, size);
  answer(packet, DnsTransport::udp);
  answer(packet, DnsTransport::tcp);
  const DnsBytes query = packet.first(size / 2);
  network::match_dns_reply(packet.subspan(size / 2), query);
  network::match_dns_reply(packet, packet);
  return 0;
}
