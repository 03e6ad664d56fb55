#include "runtime/os/signal.hpp"

#include <gtest/gtest.h>

#include <csignal>

namespace os {
namespace {

TEST(SignalNumber, ReadsNamesAndNumbers) {
  for (const char* name : {"SIGTERM", "TERM", "term", "SigTerm", "15"})
    EXPECT_EQ(signal_number(name), SIGTERM) << name;
  EXPECT_EQ(signal_number("SIGIOT"), SIGABRT);
  EXPECT_EQ(signal_number("CLD"), SIGCHLD);
}

TEST(SignalNumber, ReadsRealtimeSignals) {
  EXPECT_EQ(signal_number("SIGRTMIN"), SIGRTMIN);
  EXPECT_EQ(signal_number("RTMIN+3"), SIGRTMIN + 3);
  EXPECT_EQ(signal_number("RTMAX-1"), SIGRTMAX - 1);
  EXPECT_EQ(signal_number("RTMIN-1"), std::nullopt);
  EXPECT_EQ(signal_number("RTMAX-99"), std::nullopt);
}

TEST(SignalNumber, RefusesAnythingElse) {
  for (const char* name : {"", "0", "-1", "65", "15x", "99999999999", "SIG", "SIGSIGTERM", "TERMX"})
    EXPECT_EQ(signal_number(name), std::nullopt) << name;
}

TEST(SignalName, IsReadBackAsTheSameNumber) {
  EXPECT_EQ(signal_name(SIGKILL), "SIGKILL");
  EXPECT_EQ(signal_name(SIGRTMIN), "SIGRTMIN");
  EXPECT_EQ(signal_name(SIGRTMIN + 3), "SIGRTMIN+3");
  EXPECT_EQ(signal_name(0), "0");
  for (int number = 1; number <= SIGRTMAX; ++number)
    EXPECT_EQ(signal_number(signal_name(number)), number);
}

}  // namespace
}  // namespace os
