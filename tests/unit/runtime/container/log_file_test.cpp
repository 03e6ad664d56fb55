#include "runtime/container/log_file.hpp"

#include <gtest/gtest.h>

#include <chrono>

#include "runtime/container/log_reader.hpp"
#include "runtime/os/file.hpp"

namespace container {
namespace {

struct Line {
  LogStream stream;
  bool partial;
  std::string text;
  bool operator==(const Line&) const = default;
};

std::vector<Line> read_rest(LogReader& reader) {
  std::vector<Line> lines;
  while (const auto entry = reader.next()) {
    lines.push_back({entry->stream, entry->partial, std::string(entry->text)});
  }
  return lines;
}

std::vector<std::string> texts(LogReader reader) {
  std::vector<std::string> result;
  for (Line& line : read_rest(reader)) result.push_back(std::move(line.text));
  return result;
}

class LogFile : public ::testing::Test {
 protected:
  os::TempDir directory_;
  std::string path_ = directory_.path() + "/log";
};

TEST_F(LogFile, IsTheCriFormat) {
  LogWriter writer(path_, {});
  writer.write(LogStream::out, "one\n");
  writer.write(LogStream::err, "two\n");
  const std::string text = os::read_file(path_);
  EXPECT_TRUE(text.substr(30).starts_with(" stdout F one\n")) << text;
  EXPECT_EQ(text[10], 'T');
  EXPECT_EQ(text[29], 'Z');
  EXPECT_TRUE(parse_rfc3339(text.substr(0, 30)));
  EXPECT_NE(text.find(" stderr F two\n"), std::string::npos);
}

TEST_F(LogFile, KeepsStreamsAndPiecesApart) {
  LogWriter writer(path_, {});
  writer.write(LogStream::out, "al");
  writer.write(LogStream::err, "warning\n");
  writer.write(LogStream::out, "pha\n\nbeta");
  writer.finish(LogStream::out);
  writer.finish(LogStream::err);
  LogReader reader(path_);
  EXPECT_EQ(read_rest(reader), (std::vector<Line>{{LogStream::err, false, "warning"},
                                                  {LogStream::out, false, "alpha"},
                                                  {LogStream::out, false, ""},
                                                  {LogStream::out, true, "beta"}}));
}

TEST_F(LogFile, CutsLongLinesAndLosesNoByte) {
  for (const std::size_t length :
       {kLogChunk - 1, kLogChunk, kLogChunk + 1, 3 * kLogChunk, 100'000UL}) {
    for (const std::size_t piece : {1000UL, 65536UL}) {
      std::string line;
      for (std::size_t i = 0; i < length; ++i) line += static_cast<char>('a' + i % 26);
      os::write_file_atomic(path_, "");
      LogWriter writer(path_, {});
      const std::string output = line + "\nnext\n";
      for (std::size_t i = 0; i < output.size(); i += piece) {
        writer.write(LogStream::out, std::string_view(output).substr(i, piece));
      }
      LogReader reader(path_);
      std::string joined;
      for (const Line& each : read_rest(reader)) {
        EXPECT_LE(each.text.size(), kLogChunk);
        joined += each.text + (each.partial ? "" : "\n");
      }
      EXPECT_EQ(joined, output) << length << " in pieces of " << piece;
      EXPECT_EQ(os::read_file(path_).find("P \n"), std::string::npos);
    }
  }
}

TEST_F(LogFile, RotatesBetweenLinesAndKeepsSoManyFiles) {
  LogWriter writer(path_, {.max_size = 1000, .max_files = 3});
  std::string output;
  for (int i = 0; i < 200; ++i) output += "line " + std::to_string(i) + "\n";
  writer.write(LogStream::out, output);
  EXPECT_TRUE(os::exists(path_ + ".1"));
  EXPECT_TRUE(os::exists(path_ + ".2"));
  EXPECT_FALSE(os::exists(path_ + ".3"));
  EXPECT_LT(os::read_file(path_ + ".1").size(), 1100U);
  const auto lines = texts(LogReader(path_));
  ASSERT_FALSE(lines.empty());
  EXPECT_EQ(lines.back(), "line 199");
  for (std::size_t i = 1; i < lines.size(); ++i) {
    EXPECT_EQ(std::stoi(lines[i].substr(5)), std::stoi(lines[i - 1].substr(5)) + 1);
  }
}

TEST_F(LogFile, DoesNotRotateInsideALine) {
  LogWriter writer(path_, {.max_size = 20'000, .max_files = 5});
  writer.write(LogStream::out, std::string(70'000, 'x'));
  EXPECT_FALSE(os::exists(path_ + ".1"));
  writer.write(LogStream::out, "\nend\n");
  EXPECT_TRUE(os::exists(path_ + ".1"));
  EXPECT_EQ(texts(LogReader(path_)).back(), "end");
}

TEST_F(LogFile, DropsWhatTheDiskDoesNotTake) {
  LogWriter writer("/dev/full", {});
  writer.write(LogStream::out, "gone\n");
  EXPECT_EQ(writer.dropped(), 4U);
}

TEST_F(LogFile, TailsAcrossFiles) {
  LogWriter writer(path_, {.max_size = 1000, .max_files = 10});
  for (int i = 0; i < 100; ++i) writer.write(LogStream::out, "line " + std::to_string(i) + "\n");
  for (const std::size_t count : {0UL, 1UL, 5UL, 19UL, 20UL, 21UL, 50UL, 100UL, 1000UL}) {
    const auto lines = texts(LogReader(path_, {.tail = count}));
    const std::size_t wanted = std::min<std::size_t>(count, 100);
    ASSERT_EQ(lines.size(), wanted) << count;
    if (wanted > 0) {
      EXPECT_EQ(lines.front(), "line " + std::to_string(100 - wanted));
    }
  }
}

TEST_F(LogFile, TailCountsLinesNotParts) {
  LogWriter writer(path_, {});
  writer.write(LogStream::out, "first\n" + std::string(200'000, 'x') + "\nlast\nprompt> ");
  writer.finish(LogStream::out);
  const auto lines = texts(LogReader(path_, {.tail = 3}));
  std::size_t length = 0;
  for (const std::string& each : lines) length += each.size();
  EXPECT_EQ(length, 200'000U + 4 + 8);
}

TEST_F(LogFile, ReadsFromATimeOn) {
  os::write_file_atomic(path_,
                        "2026-01-01T00:00:00.000000000Z stdout F a\n"
                        "not a line of ours\n"
                        "2026-01-01T00:00:01.500000000Z stderr F b\n"
                        "2026-01-01T00:00:02.000000000Z stdout F:x c\n"
                        "2026-01-01T00:00:03.000000000Z stdout F unfinis");
  const auto second = parse_rfc3339("2026-01-01T01:00:01+01:00");
  const auto third = parse_rfc3339("2026-01-01T00:00:02Z");
  ASSERT_TRUE(second && third);
  EXPECT_EQ(texts(LogReader(path_)), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(texts(LogReader(path_, {.since = second})), (std::vector<std::string>{"b", "c"}));
  EXPECT_EQ(texts(LogReader(path_, {.since = second, .until = third})),
            (std::vector<std::string>{"b"}));
}

TEST_F(LogFile, IsFollowedOverRotations) {
  LogReader reader(path_);
  EXPECT_TRUE(read_rest(reader).empty());
  LogWriter writer(path_, {.max_size = 500, .max_files = 4});
  int written = 0;
  int expected = 0;
  for (int round = 0; round < 30; ++round) {
    for (int i = 0; i < 10; ++i) {
      writer.write(LogStream::out, "line " + std::to_string(written++) + "\n");
    }
    for (const Line& line : read_rest(reader)) {
      ASSERT_EQ(line.text, "line " + std::to_string(expected++));
    }
    ASSERT_EQ(expected, written);
  }
}

TEST_F(LogFile, WakesAFollower) {
  LogReader reader(path_);
  reader.follow();
  EXPECT_FALSE(reader.next());
  LogWriter writer(path_, {});
  writer.write(LogStream::out, "hello\n");
  char events[4096];
  EXPECT_GT(::read(reader.wake(), &events[0], sizeof(events)), 0);
  reader.drain();
  const auto entry = reader.next();
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->text, "hello");
}

TEST(Rfc3339, RefusesWhatIsMalformed) {
  EXPECT_EQ(parse_rfc3339("1970-01-01T00:00:00.000000001Z")->time_since_epoch().count(), 1);
  EXPECT_EQ(parse_rfc3339("1970-01-01T01:00:00.5+01:00")->time_since_epoch().count(), 500'000'000);
  for (const char* bad :
       {"", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-01-01T24:00:00Z",
        "2026-01-01T00:00:00", "2026-01-01T00:00:00.Z", "2026-01-01 00:00:00Z",
        "2026-01-01T00:00:00Zx", "9999-01-01T00:00:00Z", "-026-01-01T00:00:00Z"}) {
    EXPECT_FALSE(parse_rfc3339(bad)) << bad;
  }
}

}  // namespace
}  // namespace container
