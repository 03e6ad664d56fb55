#include "network/port_holder.hpp"

#include <gtest/gtest.h>

namespace network {
namespace {

constexpr const char* kTcp =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode\n"
    "   0: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 "
    "4711 1 0000 100 0 0 10 0\n"
    "   1: 0100007F:1F90 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 "
    "4712 1 0000 20 4 30 10 -1\n"
    "   2: 0100007F:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 "
    "0 1 0000 20 4 30 10 -1\n";

TEST(PortHolder, FindsTheListenerAmongConnections) {
  EXPECT_EQ(sockets_on_port(kTcp, 8080, true), std::vector<std::uint64_t>{4711});
  EXPECT_EQ(sockets_on_port(kTcp, 8080, false), (std::vector<std::uint64_t>{4711, 4712}));
}

TEST(PortHolder, SocketsWithoutAnOwnerDoNotCount) {
  EXPECT_TRUE(sockets_on_port(kTcp, 80, true).empty());
}

TEST(PortHolder, PassesOverWhatItDoesNotUnderstand) {
  EXPECT_TRUE(sockets_on_port("", 80, true).empty());
  EXPECT_TRUE(sockets_on_port("a b c\n0: : x\n1: q:zz 0 0A a b c d e f\n", 80, true).empty());
}

}  // namespace
}  // namespace network
