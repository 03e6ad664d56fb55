#include "orchestrator/cli/progress.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cli {
namespace {

using orchestrator::protocol::progress;
using std::chrono::milliseconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const Progress::Clock::time_point kBegin{};

TEST(Progress, PlainIsALinePerStep) {
  Progress plain(ProgressStyle::plain, false);
  EXPECT_EQ(plain.take(progress("Container", "shop-db-1", "Started", true), kBegin),
            " Container shop-db-1 Started\n");
  EXPECT_EQ(plain.redraw(kBegin), "");
  EXPECT_FALSE(plain.animated());
}

TEST(Progress, QuietSaysNothing) {
  Progress quiet(ProgressStyle::quiet, false);
  EXPECT_EQ(quiet.take(progress("Network", "n", "Created", true), kBegin), "");
}

TEST(Progress, JsonIsAnObjectALine) {
  Progress json(ProgressStyle::json, false);
  EXPECT_EQ(json.take(progress("Container", "a", "Starting", false), kBegin),
            "{\"id\":\"Container a\",\"status\":\"Working\",\"text\":\"Starting\"}\n");
  EXPECT_THAT(json.take(progress("Container", "a", "Started", true), kBegin),
              HasSubstr("\"status\":\"Done\""));
}

TEST(Progress, BlockIsDrawnOverItself) {
  Progress block(ProgressStyle::tty, false);
  const std::string first = block.take(progress("Network", "n", "Creating", false), kBegin);
  EXPECT_THAT(first, AllOf(StartsWith("[+] Running 0/1\n"), HasSubstr("Network n  Creating")));
  EXPECT_TRUE(block.animated());
  const std::string second =
      block.take(progress("Network", "n", "Created", true), kBegin + milliseconds(300));
  EXPECT_THAT(second, AllOf(StartsWith("\033[2A\r\033[J[+] Running 1/1\n"),
                            HasSubstr("✔ Network n  Created"), HasSubstr("0.3s")));
  EXPECT_FALSE(block.animated());
  EXPECT_THAT(block.finish(kBegin + milliseconds(300)), StartsWith("\033[2A"));
  EXPECT_EQ(block.erase(), "") << "what is finished stays";
}

TEST(Progress, BlockNeverOutgrowsTheTerminal) {
  Progress block(ProgressStyle::tty, false, 6, 60);
  std::string text;
  for (int i = 0; i < 20; ++i)
    text = block.take(progress("Container", "c" + std::to_string(i), "Starting", false), kBegin);
  const std::string drawn = text.substr(text.find("[+]"));
  EXPECT_LE(std::count(drawn.begin(), drawn.end(), '\n'), 5);
}

TEST(Progress, ColoursOnlyWhenTold) {
  Progress plain(ProgressStyle::tty, false);
  EXPECT_THAT(plain.take(progress("Network", "n", "Created", true), kBegin),
              Not(HasSubstr("\033[32m")));
  Progress colour(ProgressStyle::tty, true);
  EXPECT_THAT(colour.take(progress("Network", "n", "Created", true), kBegin),
              HasSubstr("\033[32m"));
}

}  // namespace
}  // namespace cli
