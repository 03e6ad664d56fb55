#include "network/conntrack.hpp"

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <netlink/attr.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <optional>
#include <vector>

#include "network/netlink.hpp"
#include "runtime/os/error.hpp"

namespace network {

namespace {

int message_type(int type) { return NFNL_SUBSYS_CTNETLINK << 8 | type; }

nfgenmsg family_header(int family) {
  nfgenmsg header{};
  header.nfgen_family = static_cast<std::uint8_t>(family);
  header.version = NFNETLINK_V0;
  return header;
}

/// The original tuple's bytes when the flow is one of those to forget.
std::optional<std::vector<std::byte>> matching_tuple(nlmsghdr& header,
                                                     const std::set<std::uint16_t>& ports) {
  std::array<nlattr*, CTA_MAX + 1> attributes{};
  if (::nlmsg_parse(&header, sizeof(nfgenmsg), attributes.data(), CTA_MAX, nullptr) != 0) {
    return std::nullopt;
  }
  nlattr* const tuple = attributes[CTA_TUPLE_ORIG];
  std::array<nlattr*, CTA_TUPLE_MAX + 1> parts{};
  std::array<nlattr*, CTA_PROTO_MAX + 1> protocol{};
  if (tuple == nullptr || ::nla_parse_nested(parts.data(), CTA_TUPLE_MAX, tuple, nullptr) != 0 ||
      parts[CTA_TUPLE_PROTO] == nullptr ||
      ::nla_parse_nested(protocol.data(), CTA_PROTO_MAX, parts[CTA_TUPLE_PROTO], nullptr) != 0 ||
      protocol[CTA_PROTO_NUM] == nullptr || protocol[CTA_PROTO_DST_PORT] == nullptr ||
      ::nla_get_u8(protocol[CTA_PROTO_NUM]) != IPPROTO_UDP ||
      !ports.contains(ntohs(::nla_get_u16(protocol[CTA_PROTO_DST_PORT])))) {
    return std::nullopt;
  }
  const std::byte* const data = static_cast<const std::byte*>(::nla_data(tuple));
  return std::vector<std::byte>(data, data + ::nla_len(tuple));
}

NetlinkMessage forget(int family, const std::vector<std::byte>& tuple) {
  NetlinkMessage message(message_type(IPCTNL_MSG_CT_DELETE), 0, "forget a UDP flow");
  message.header(family_header(family));
  message.put(CTA_TUPLE_ORIG | NLA_F_NESTED, tuple.data(), tuple.size());
  message.tolerate(ENOENT);
  return message;
}

}  // namespace

void forget_udp_flows(const std::set<std::uint16_t>& destination_ports) {
  if (destination_ports.empty()) return;
  NetlinkSocket socket(NETLINK_NETFILTER);
  for (const int family : {AF_INET, AF_INET6}) {
    std::vector<std::vector<std::byte>> tuples;
    NetlinkMessage listing(message_type(IPCTNL_MSG_CT_GET), 0, "list the tracked connections");
    listing.header(family_header(family));
    socket.dump(
        std::move(listing), [&] { tuples.clear(); },
        [&](nlmsghdr& header) {
          auto tuple = matching_tuple(header, destination_ports);
          if (tuple) tuples.push_back(std::move(*tuple));
        });
    std::vector<NetlinkMessage> messages;
    for (const std::vector<std::byte>& tuple : tuples) messages.push_back(forget(family, tuple));
    socket.request(std::move(messages));
  }
}

}  // namespace network
