#include "orchestrator/cli/usage.hpp"

#include <gtest/gtest.h>

namespace cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

TEST(UsageTest, CpuIsCountedFromTheLookBefore) {
  const Usage before{.at = steady_clock::time_point{}, .cpu = 1'000'000};
  EXPECT_DOUBLE_EQ(cpu_percent(before, {.at = before.at + milliseconds(500), .cpu = 1'250'000}),
                   50);
  EXPECT_DOUBLE_EQ(cpu_percent(before, {.at = before.at + milliseconds(500), .cpu = 2'000'000}),
                   200);
  EXPECT_DOUBLE_EQ(cpu_percent(before, {.at = before.at, .cpu = 2'000'000}), 0);
  EXPECT_DOUBLE_EQ(cpu_percent(before, {.at = before.at + milliseconds(1), .cpu = 5}), 0)
      << "it was restarted";
}

TEST(UsageTest, InterfacesAddUpWithoutLoopback) {
  Usage usage;
  add_interfaces(
      usage,
      "Inter-|   Receive                                                |  Transmit\n"
      " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets\n"
      "    lo:     100       1    0    0    0     0          0         0      100       1\n"
      "  eth0:    1000      10    0    0    0     0          0         0     2000      20\n"
      "  eth1:1       10    0    0    0     0          0         0     2      20\n"
      "broken: x\n");
  EXPECT_EQ(usage.received, 1001U);
  EXPECT_EQ(usage.sent, 2002U);
}

TEST(UsageTest, BytesInBothCounts) {
  EXPECT_EQ(binary_bytes(0), "0B");
  EXPECT_EQ(binary_bytes(1536), "1.5KiB");
  EXPECT_EQ(binary_bytes(512UL << 20), "512MiB");
  EXPECT_EQ(decimal_bytes(1'570'000), "1.57MB");
}

}  // namespace
}  // namespace cli
