// Kernel parameters of the calling thread's network namespace (/proc/sys/net, sysctl(2)).
#pragma once

#include <optional>
#include <string>

namespace network {

/// `name` with slashes, as "net/ipv4/ip_forward". Nothing when the kernel has no such parameter.
std::optional<std::string> read_sysctl(const std::string& name);
/// Writes the value unless it is that already.
void set_sysctl(const std::string& name, const std::string& value);
/// The same; content when the kernel has no such parameter (IPv6 is not built in).
void set_sysctl_if_present(const std::string& name, const std::string& value);

/// "net.ipv4.conf.IFNAME.log_martians" → "net/ipv4/conf/eth0/log_martians". Throws os::Error for
/// anything but a setting of an interface (conf and neigh of ipv4 and ipv6, conf of mpls). Pure.
std::string interface_sysctl(const std::string& name, const std::string& interface);

}  // namespace network
