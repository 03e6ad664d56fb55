#include "network/sysctl.hpp"

#include <gtest/gtest.h>

#include "runtime/os/error.hpp"

namespace network {
namespace {

TEST(InterfaceSysctlTest, IsThatOfTheInterface) {
  EXPECT_EQ(interface_sysctl("net.ipv4.conf.IFNAME.log_martians", "eth0"),
            "net/ipv4/conf/eth0/log_martians");
  EXPECT_EQ(interface_sysctl("net.ipv6.neigh.IFNAME.retrans_time_ms", "wan.5"),
            "net/ipv6/neigh/wan.5/retrans_time_ms");
}

TEST(InterfaceSysctlTest, NothingElseIsReached) {
  for (const char* name :
       {"net.ipv4.ip_forward", "net.ipv4.conf.all.forwarding", "kernel.panic", "",
        "net.ipv4.conf.IFNAME.", "net.ipv4.conf.IFNAME", "net.ipv4.conf.IFNAME.../../x",
        "net.ipv4.conf.IFNAME.a/b", "net.ipv4.conf.IFNAME.a.b"})
    EXPECT_THROW(interface_sysctl(name, "eth0"), os::Error) << name;
}

}  // namespace
}  // namespace network
