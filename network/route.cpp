#include "network/route.hpp"

#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <sys/socket.h>

#include <array>
#include <cstdlib>

namespace network {

namespace {

rtmsg route_header(const Subnet& destination) {
  rtmsg header{};
  header.rtm_family = static_cast<unsigned char>(destination.family());
  header.rtm_dst_len = static_cast<unsigned char>(destination.prefix());
  header.rtm_table = RT_TABLE_MAIN;
  header.rtm_protocol = RTPROT_STATIC;
  header.rtm_scope = RT_SCOPE_UNIVERSE;
  header.rtm_type = RTN_UNICAST;
  return header;
}

void put_route(NetlinkMessage& message, const Subnet& destination, const IpAddress& gateway,
               int index) {
  message.header(route_header(destination));
  if (destination.prefix() > 0) message.put_address(RTA_DST, destination.base());
  message.put_address(RTA_GATEWAY, gateway).put_u32(RTA_OIF, static_cast<std::uint32_t>(index));
}

bool is_of_interest(unsigned char type) {
  return type == RTN_UNICAST || type == RTN_LOCAL || type == RTN_BLACKHOLE ||
         type == RTN_UNREACHABLE || type == RTN_PROHIBIT;
}

std::optional<Route> parse_route(nlmsghdr& header) {
  const rtmsg& info = *static_cast<rtmsg*>(NLMSG_DATA(&header));
  if (header.nlmsg_type != RTM_NEWROUTE || !is_of_interest(info.rtm_type)) return std::nullopt;
  std::array<nlattr*, RTA_MAX + 1> attributes{};
  if (::nlmsg_parse(&header, sizeof(rtmsg), attributes.data(), RTA_MAX, nullptr) != 0) {
    return std::nullopt;
  }
  IpAddress base = IpAddress::parse(info.rtm_family == AF_INET ? "0.0.0.0" : "::").value();
  if (nlattr* const destination = attributes[RTA_DST]) {
    if (static_cast<std::size_t>(::nla_len(destination)) < base.size()) return std::nullopt;
    base = IpAddress::from_bytes(info.rtm_family, ::nla_data(destination));
  }
  Route route;
  route.destination = Subnet(base, info.rtm_dst_len);
  route.is_default = info.rtm_dst_len == 0;
  route.on_link = attributes[RTA_GATEWAY] == nullptr && attributes[RTA_MULTIPATH] == nullptr &&
                  attributes[RTA_VIA] == nullptr;
  route.from_advertisement = info.rtm_protocol == RTPROT_RA;
  if (nlattr* const interface = attributes[RTA_OIF]) {
    route.interface = static_cast<int>(::nla_get_u32(interface));
  }
  if (nlattr* const metric = attributes[RTA_PRIORITY]) route.metric = ::nla_get_u32(metric);
  return route;
}

}  // namespace

NetlinkMessage add_address(int index, const IpAddress& address, int prefix,
                           const std::string& device) {
  NetlinkMessage message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL,
                         "give '" + device + "' the address " + address.to_string());
  ifaddrmsg header{};
  header.ifa_family = static_cast<unsigned char>(address.family());
  header.ifa_prefixlen = static_cast<unsigned char>(prefix);
  header.ifa_flags = address.is_v4() ? 0 : IFA_F_NODAD;
  header.ifa_index = static_cast<unsigned>(index);
  message.header(header).put_address(IFA_LOCAL, address).put_address(IFA_ADDRESS, address);
  if (address.is_v4() && prefix < 31) {
    message.put_address(IFA_BROADCAST, address.masked(prefix, true));
  }
  message.tolerate(EEXIST);
  return message;
}

NetlinkMessage add_link_local(int index, unsigned host, const std::string& device) {
  constexpr int kPrefix = 64;
  return add_address(index, IpAddress::parse("fe80::").value().plus(host), kPrefix, device);
}

NetlinkMessage add_route(const Subnet& destination, const IpAddress& gateway, int index) {
  NetlinkMessage message(
      RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL,
      "add a route to " + destination.to_string() + " by " + gateway.to_string());
  put_route(message, destination, gateway, index);
  return message;
}

NetlinkMessage add_default_route(const IpAddress& gateway, int index) {
  NetlinkMessage message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL,
                         "add a default route by " + gateway.to_string());
  put_route(message, Subnet(gateway, 0), gateway, index);
  message.tolerate(EEXIST);
  return message;
}

NetlinkMessage delete_route(const Subnet& destination, const IpAddress& gateway, int index) {
  NetlinkMessage message(RTM_DELROUTE, 0, "delete the route to " + destination.to_string());
  put_route(message, destination, gateway, index);
  message.tolerate(ESRCH).tolerate(ENODEV);
  return message;
}

std::vector<Route> list_routes(NetlinkSocket& socket) {
  std::vector<Route> routes;
  for (const int family : {AF_INET, AF_INET6}) {
    const std::size_t before = routes.size();
    NetlinkMessage message(RTM_GETROUTE, 0, "list the routes");
    rtmsg header{};
    header.rtm_family = static_cast<unsigned char>(family);
    message.header(header);
    socket.dump(
        std::move(message), [&] { routes.resize(before); },
        [&](nlmsghdr& answer) {
          if (std::optional<Route> route = parse_route(answer)) routes.push_back(*route);
        });
  }
  return routes;
}

}  // namespace network
