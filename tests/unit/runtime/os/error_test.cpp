#include "runtime/os/error.hpp"

#include <gtest/gtest.h>

namespace os {
namespace {

TEST(Error, SaysWhatWasTriedAndWhy) {
  const Error error(ENOENT, "open '/etc/none'");
  EXPECT_STREQ(error.what(), "open '/etc/none': No such file or directory");
  EXPECT_EQ(error.code(), ENOENT);
}

TEST(Error, PutsTheContextInFrontAndKeepsTheCode) {
  const Error error = Error(EACCES, "open 'f'").in("load image").in("up");
  EXPECT_STREQ(error.what(), "up: load image: open 'f': Permission denied");
  EXPECT_EQ(error.code(), EACCES);
  EXPECT_EQ(Error("no such service: x").code(), 0);
}

TEST(Check, PassesOnWhatSucceeded) {
  EXPECT_EQ(check(7, []() -> std::string { throw std::logic_error("described a success"); }), 7);
}

TEST(Check, TakesErrnoBeforeItDescribes) {
  errno = EBUSY;
  try {
    check(-1, [] {
      errno = 0;
      return std::string("unmount");
    });
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), EBUSY);
  }
}

}  // namespace
}  // namespace os
