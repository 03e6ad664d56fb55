#include "network/firewall.hpp"

#include <netinet/in.h>

#include <set>

#include "network/device_name.hpp"
#include "runtime/os/error.hpp"

namespace network {

namespace {

constexpr const char* kHostTable = R"(table inet stack {
  set uplinks { type ifname; }
  set stacks4 { type ipv4_addr; }
  set stacks6 { type ipv6_addr; }
  map publish4 { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; }
  map publish4_any { type inet_proto . inet_service : ipv4_addr . inet_service; }
  map publish6 { type ipv6_addr . inet_proto . inet_service : ipv6_addr . inet_service; }
  map publish6_any { type inet_proto . inet_service : ipv6_addr . inet_service; }
  chain raw_prerouting {
    type filter hook prerouting priority -300; policy accept;
    iifname @uplinks ip daddr 127.0.0.0/8 drop
  }
  chain nat_prerouting {
    type nat hook prerouting priority -100; policy accept;
    ip daddr 127.0.0.0/8 return
    ip6 saddr fe80::/10 return
    fib daddr type local dnat ip to ip daddr . meta l4proto . th dport map @publish4
    fib daddr type local dnat ip to meta l4proto . th dport map @publish4_any
    fib daddr type local dnat ip6 to ip6 daddr . meta l4proto . th dport map @publish6
    fib daddr type local dnat ip6 to meta l4proto . th dport map @publish6_any
  }
  chain nat_output {
    type nat hook output priority -100; policy accept;
    ip6 daddr ::1 return
    ip6 daddr fe80::/10 return
    fib daddr type local dnat ip to ip daddr . meta l4proto . th dport map @publish4
    fib daddr type local dnat ip to meta l4proto . th dport map @publish4_any
    fib daddr type local dnat ip6 to ip6 daddr . meta l4proto . th dport map @publish6
    fib daddr type local dnat ip6 to meta l4proto . th dport map @publish6_any
  }
  chain filter_forward {
    type filter hook forward priority 0; policy accept;
    oifname @uplinks ct state established,related accept
    oifname @uplinks ct status dnat accept
    oifname @uplinks drop
  }
  chain nat_postrouting {
    type nat hook postrouting priority 100; policy accept;
    ip saddr @stacks4 masquerade
    ip6 saddr @stacks6 masquerade
    oifname @uplinks fib saddr type local masquerade
  }
}
)";

/// Collects lines "VERB element inet stack SET { … }".
class Elements {
 public:
  explicit Elements(Change change) : change_(change) {}

  void put(const std::string& set, const std::string& key, const std::string& value = "") {
    const std::string where = " element inet stack " + set + " { " + key;
    text_ += "add" + where + (value.empty() ? "" : " : " + value) + " }\n";
    // Removal adds first: deleting what is not there would fail the whole transaction.
    if (change_ == Change::remove) text_ += "delete" + where + " }\n";
  }

  std::string take() { return std::move(text_); }

 private:
  Change change_;
  std::string text_;
};

std::string port_key(const std::string& protocol, std::uint16_t port) {
  return std::to_string(protocol_number(protocol)) + " . " + std::to_string(port);
}

std::string destination(const IpAddress& address, std::uint16_t port) {
  return address.to_string() + " . " + std::to_string(port);
}

std::string joined(const std::set<std::string>& items) {
  std::string text;
  for (const std::string& item : items) text += (text.empty() ? "" : ", ") + item;
  return text;
}

/// The start of a rule for what comes or goes by the uplink; `direction` is iifname or oifname.
std::string by_uplink(const char* direction) {
  std::string text = "    ";
  return text.append(direction).append(" \"").append(kUplinkInside).append("\" ");
}

std::string quoted(const std::string& text) { return "\"" + text + "\""; }

std::string set_text(const std::string& name, const std::string& type,
                     const std::set<std::string>& elements) {
  std::string text = "  set " + name + " {\n    type " + type + "\n";
  if (type != "ifname") text += "    flags interval\n";
  if (!elements.empty()) text += "    elements = { " + joined(elements) + " }\n";
  return text + "  }\n";
}

std::string map_text(const std::string& name, const std::string& type,
                     const std::set<std::string>& elements) {
  std::string text = "  map " + name + " {\n    type " + type + "\n";
  if (!elements.empty()) text += "    elements = { " + joined(elements) + " }\n";
  return text + "  }\n";
}

/// The sets and maps that the networks of a stack are in.
struct StackSets {
  std::set<std::string> bridges, hosted, subnets4, subnets6, masquerade4, masquerade6, in, out;
};

StackSets stack_sets(const Record& record) {
  StackSets sets;
  for (const NetworkRecord& network : record.networks) {
    const std::string bridge = quoted(network.bridge);
    const std::string chain = device_name("_", network.spec.name);
    sets.bridges.insert(bridge);
    if (!network.spec.internal) sets.hosted.insert(bridge);
    sets.in.insert(bridge + " : jump in" + chain);
    sets.out.insert(bridge + " : jump out" + chain);
    const bool masquerade = network.spec.masquerade && !network.spec.internal;
    for (const Subnet& subnet : network.subnets()) {
      (subnet.is_v4() ? sets.subnets4 : sets.subnets6).insert(subnet.to_string());
      if (!masquerade) continue;
      (subnet.is_v4() ? sets.masquerade4 : sets.masquerade6).insert(subnet.to_string());
    }
  }
  return sets;
}

std::string network_chains(const NetworkRecord& network, const UplinkRecord& uplink) {
  const std::string chain = device_name("_", network.spec.name);
  const std::string bridge = quoted(network.bridge);
  std::string text = "  chain in" + chain + " {\n    ct state established,related accept\n";
  if (network.spec.icc) text += "    iifname " + bridge + " accept\n";
  const std::string from_uplink = by_uplink("iifname");
  text += from_uplink + "ip saddr " + uplink.host4().to_string() + " accept\n";
  if (uplink.host6()) {
    text += from_uplink + "ip6 saddr " + uplink.host6()->to_string() + " accept\n";
  }
  text += "    drop\n  }\n  chain out" + chain + " {\n";
  // From an internal network only answers leave, to the host that asked.
  text += network.spec.internal ? "    ct state established,related accept\n    drop\n"
                                : "    accept\n";
  return text + "  }\n";
}

std::string stack_prerouting(const UplinkRecord& uplink) {
  std::string text =
      "  chain nat_prerouting {\n    type nat hook prerouting priority -100; policy accept;\n"
      "    ip6 daddr fe80::/10 return\n";
  const std::string from_uplink = by_uplink("iifname");
  text += from_uplink + "ip daddr " + uplink.stack4().to_string() +
          " dnat ip to meta l4proto . th dport map @publish4\n";
  if (uplink.stack6()) {
    text += from_uplink + "ip6 daddr " + uplink.stack6()->to_string() +
            " dnat ip6 to meta l4proto . th dport map @publish6\n";
  }
  // The gateway stands for the host: its published ports first, then its own.
  const std::string to_gateway = "    iifname @hosted fib daddr type local ";
  text += to_gateway + "dnat ip to meta l4proto . th dport map @publish4\n";
  text += to_gateway + "dnat ip6 to meta l4proto . th dport map @publish6\n";
  text += to_gateway + "meta nfproto ipv4 meta l4proto { 6, 17, 132 } dnat ip to " +
          uplink.host4().to_string() + "\n";
  if (uplink.host6()) {
    text += to_gateway + "meta nfproto ipv6 meta l4proto { 6, 17, 132 } dnat ip6 to " +
            uplink.host6()->to_string() + "\n";
  }
  return text + "  }\n";
}

std::string stack_postrouting(const UplinkRecord& uplink) {
  const std::string to_uplink = by_uplink("oifname");
  const std::string to_bridge = "    oifname @bridges ";
  std::string text =
      "  chain nat_postrouting {\n    type nat hook postrouting priority 100; policy accept;\n";
  text += to_uplink + "ip saddr @masquerade4 masquerade\n";
  text += to_uplink + "ip6 saddr @masquerade6 masquerade\n";
  text += to_bridge + "ip saddr " + uplink.host4().to_string() + " masquerade\n";
  if (uplink.host6()) {
    text += to_bridge + "ip6 saddr " + uplink.host6()->to_string() + " masquerade\n";
  }
  text += to_bridge + "fib saddr type local masquerade\n";
  text += to_bridge + "ct status dnat ip saddr @subnets4 masquerade\n";
  text += to_bridge + "ct status dnat ip6 saddr @subnets6 masquerade\n";
  return text + "  }\n";
}

constexpr const char* kStackChains = R"(  chain raw_prerouting {
    type filter hook prerouting priority -300; policy accept;
    iifname != "lo" ip daddr 127.0.0.0/8 drop
  }
  chain nat_output {
    type nat hook output priority -100; policy accept;
    ip6 daddr ::1 return
    fib daddr type local dnat ip to meta l4proto . th dport map @publish4
    fib daddr type local dnat ip6 to meta l4proto . th dport map @publish6
  }
  chain filter_forward {
    type filter hook forward priority 0; policy drop;
    ct status dnat accept
    oifname vmap @fwd_in
    iifname vmap @fwd_out
  }
)";

}  // namespace

int protocol_number(const std::string& protocol) {
  if (protocol == "tcp") return IPPROTO_TCP;
  if (protocol == "udp") return IPPROTO_UDP;
  if (protocol == "sctp") return IPPROTO_SCTP;
  throw os::Error("Invalid proto: " + protocol);
}

std::string stack_ruleset(const Record& record) {
  const UplinkRecord& uplink = record.uplink.value();
  const StackSets sets = stack_sets(record);
  std::string text = "table inet stack {\n";
  text += set_text("bridges", "ifname", sets.bridges);
  text += set_text("hosted", "ifname", sets.hosted);
  text += set_text("subnets4", "ipv4_addr", sets.subnets4);
  text += set_text("subnets6", "ipv6_addr", sets.subnets6);
  text += set_text("masquerade4", "ipv4_addr", sets.masquerade4);
  text += set_text("masquerade6", "ipv6_addr", sets.masquerade6);
  text += map_text("publish4", "inet_proto . inet_service : ipv4_addr . inet_service", {});
  text += map_text("publish6", "inet_proto . inet_service : ipv6_addr . inet_service", {});
  for (const NetworkRecord& network : record.networks) text += network_chains(network, uplink);
  text += map_text("fwd_in", "ifname : verdict", sets.in);
  text += map_text("fwd_out", "ifname : verdict", sets.out);
  text += stack_prerouting(uplink) + kStackChains + stack_postrouting(uplink) + "}\n";
  return text + stack_port_elements(Change::add, record.publications);
}

std::string host_ruleset(const std::vector<Record>& records) {
  std::string text = kHostTable;
  for (const Record& record : records) {
    if (!record.uplink) continue;
    text += host_uplink_elements(Change::add, *record.uplink);
    text += host_port_elements(Change::add, *record.uplink, record.publications);
  }
  return text;
}

std::string host_uplink_elements(Change change, const UplinkRecord& uplink) {
  Elements elements(change);
  elements.put("uplinks", quoted(uplink.device));
  elements.put("stacks4", uplink.stack4().to_string());
  if (uplink.stack6()) elements.put("stacks6", uplink.stack6()->to_string());
  return elements.take();
}

std::string host_port_elements(Change change, const UplinkRecord& uplink,
                               const std::vector<PublicationRecord>& publications) {
  Elements elements(change);
  for (const PublicationRecord& publication : publications) {
    const bool v4 = publication.host_ip.is_v4();
    const std::optional<IpAddress> stack = v4 ? std::optional(uplink.stack4()) : uplink.stack6();
    // The rest goes through a relay.
    if (!stack || !(v4 ? publication.to4 : publication.to6)) continue;
    if (!v4 && publication.host_ip.is_loopback()) continue;
    const std::string key = port_key(publication.protocol, publication.published);
    const std::string map = v4 ? "publish4" : "publish6";
    const std::string value = destination(*stack, publication.transit);
    if (publication.host_ip.is_unspecified()) {
      elements.put(map + "_any", key, value);
    } else {
      elements.put(map, publication.host_ip.to_string() + " . " + key, value);
    }
  }
  return elements.take();
}

std::string stack_port_elements(Change change, const std::vector<PublicationRecord>& publications) {
  Elements elements(change);
  // Two addresses of the host that share a port share its way inside the stack too.
  std::set<std::string> seen;
  for (const PublicationRecord& publication : publications) {
    const std::string key = port_key(publication.protocol, publication.transit);
    if (!seen.insert(key).second) continue;
    if (publication.to4) {
      elements.put("publish4", key, destination(*publication.to4, publication.target));
    }
    if (publication.to6) {
      elements.put("publish6", key, destination(*publication.to6, publication.target));
    }
  }
  return elements.take();
}

}  // namespace network
