#include "network/firewall_watch.hpp"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <string_view>

#include "runtime/os/error.hpp"

namespace network {

namespace {

/// The table's name, which is attribute 1 of tables, chains, sets and rules alike.
std::string_view table_of(std::span<const char> attributes) {
  while (attributes.size() >= sizeof(nlattr)) {
    nlattr attribute{};
    std::memcpy(&attribute, attributes.data(), sizeof attribute);
    if (attribute.nla_len < sizeof attribute || attribute.nla_len > attributes.size()) return {};
    if ((attribute.nla_type & NLA_TYPE_MASK) == NFTA_TABLE_NAME) {
      const std::string_view text(attributes.data() + sizeof attribute,
                                  attribute.nla_len - sizeof attribute);
      return text.substr(0, text.find('\0'));
    }
    attributes =
        attributes.subspan(std::min<std::size_t>(NLA_ALIGN(attribute.nla_len), attributes.size()));
  }
  return {};
}

bool is_loss(int type, int family, std::string_view table) {
  if (type == NFT_MSG_DELTABLE || type == NFT_MSG_DELCHAIN || type == NFT_MSG_DELRULE ||
      type == NFT_MSG_DELSET)
    return (family == NFPROTO_INET && table == "stack") || table == "filter";
  // A chain whose policy is to drop what stacks forward.
  return type == NFT_MSG_NEWCHAIN && table == "filter";
}

}  // namespace

bool tells_of_loss(std::span<const char> datagram) {
  while (datagram.size() >= sizeof(nlmsghdr)) {
    nlmsghdr header{};
    std::memcpy(&header, datagram.data(), sizeof header);
    if (header.nlmsg_len < sizeof header || header.nlmsg_len > datagram.size()) return false;
    const auto body = datagram.subspan(sizeof header, header.nlmsg_len - sizeof header);
    if (header.nlmsg_type >> 8 == NFNL_SUBSYS_NFTABLES && body.size() >= sizeof(nfgenmsg)) {
      nfgenmsg general{};
      std::memcpy(&general, body.data(), sizeof general);
      if (is_loss(header.nlmsg_type & 0xff, general.nfgen_family,
                  table_of(body.subspan(sizeof general))))
        return true;
    }
    datagram =
        datagram.subspan(std::min<std::size_t>(NLMSG_ALIGN(header.nlmsg_len), datagram.size()));
  }
  return false;
}

FirewallWatch::FirewallWatch()
    : fd_(os::check(
          ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER),
          [] { return std::string("open a netlink socket"); })) {
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  os::check(::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
            [] { return std::string("bind a netlink socket"); });
  const int group = NFNLGRP_NFTABLES;
  os::check(::setsockopt(fd_.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group),
            [] { return std::string("listen to changes of the firewall"); });
}

bool FirewallWatch::take_from(int fd) {
  std::array<char, 65536> buffer;
  bool lost = false;
  for (;;) {
    const ssize_t size = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (size >= 0) {
      lost = lost || tells_of_loss({buffer.data(), static_cast<std::size_t>(size)});
    } else if (errno == ENOBUFS) {
      lost = true;
    } else if (errno != EINTR) {
      return lost;
    }
  }
}

}  // namespace network
