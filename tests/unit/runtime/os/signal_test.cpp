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

std::string status(const char* blocked, const char* ignored, const char* caught) {
  return std::string("Name:\tx\nSigBlk:\t") + blocked + "\nSigIgn:\t" + ignored + "\nSigCgt:\t" +
         caught + "\n";
}

TEST(Unheeded, WhatIsIgnoredAndWhatTheFirstProcessDoesNotAskFor) {
  constexpr const char *kNone = "0000000000000000", *kTerm = "0000000000004000";
  EXPECT_TRUE(is_unheeded(status(kNone, kTerm, kNone), "running", SIGTERM, false));
  EXPECT_TRUE(is_unheeded(status(kNone, kNone, kNone), "running", SIGTERM, true));
  EXPECT_FALSE(is_unheeded(status(kNone, kNone, kNone), "running", SIGTERM, false));
  EXPECT_FALSE(is_unheeded(status(kNone, kNone, kTerm), "running", SIGTERM, true));
  EXPECT_FALSE(is_unheeded(status(kTerm, kNone, kNone), "running", SIGTERM, true))
      << "sigwait, signalfd";
  EXPECT_TRUE(is_unheeded(status(kNone, kNone, kTerm), "running", SIGINT, true));
  EXPECT_FALSE(is_unheeded(status(kNone, kNone, kNone), "running", SIGKILL, true));
  EXPECT_TRUE(is_unheeded(status(kNone, "8000000000000000", kNone), "running", SIGRTMAX, false));
  EXPECT_FALSE(is_unheeded(status(kNone, kNone, kNone), "128 0x7ffe 0x0", SIGTERM, true));
  EXPECT_TRUE(is_unheeded(status(kNone, kNone, kNone), "34 0x7ffe 0x0", SIGTERM, true));
  EXPECT_FALSE(is_unheeded("", "", SIGTERM, true));
  EXPECT_FALSE(is_unheeded("\nSigBlk:\tz\nSigIgn:\t0\nSigCgt:\t0\n", "", SIGTERM, true));
}

}  // namespace
}  // namespace os
