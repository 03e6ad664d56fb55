#include "orchestrator/cli/up_options.hpp"

#include <gtest/gtest.h>

#include "runtime/os/error.hpp"

namespace cli {
namespace {

TEST(ParseScale, ReadsPairs) {
  EXPECT_EQ(parse_scale({"web=3", "db=0"}, "--scale option"),
            (std::map<std::string, int>{{"web", 3}, {"db", 0}}));
}

TEST(ParseScale, SaysHowToWriteIt) {
  for (const char* wrong : {"b", "web=", "web=x", "=3", "web=-1", "web=3x"}) {
    try {
      parse_scale({wrong}, "--scale option");
      FAIL() << wrong;
    } catch (const os::Error& error) {
      EXPECT_EQ(std::string(error.what()),
                "invalid --scale option \"" + std::string(wrong) + "\". Should be SERVICE=NUM");
    }
  }
}

}  // namespace
}  // namespace cli
