#include "orchestrator/cli/log_lines.hpp"

#include <gtest/gtest.h>

#include "orchestrator/cli/log_stream.hpp"

namespace cli {
namespace {

using container::LogEntry;
using container::LogStream;

Time at(int seconds) { return Time(std::chrono::seconds(seconds)); }

TEST(LineAssembler, PutsPiecesTogetherPerStream) {
  LineAssembler assembler;
  EXPECT_FALSE(assembler.add({at(1), LogStream::out, true, "one "}));
  EXPECT_FALSE(assembler.add({at(2), LogStream::err, true, "bad "}));
  const auto line = assembler.add({at(3), LogStream::out, false, "two"});
  ASSERT_TRUE(line);
  EXPECT_EQ(line->text, "one two");
  EXPECT_EQ(line->time, at(1)) << "a line is as old as its beginning";
  const auto rest = assembler.rest();
  ASSERT_EQ(rest.size(), 1U);
  EXPECT_EQ(rest[0].text, "bad ");
  EXPECT_EQ(rest[0].stream, LogStream::err);
  EXPECT_TRUE(assembler.rest().empty());
}

TEST(LineAssembler, StaysWithinItsBound) {
  LineAssembler assembler;
  const std::string piece(container::kLogChunk, 'x');
  std::optional<LogLine> line;
  std::size_t pieces = 0;
  while (!line) {
    line = assembler.add({at(1), LogStream::out, true, piece});
    ++pieces;
  }
  EXPECT_EQ(line->text.size(), pieces * piece.size());
  EXPECT_LE(line->text.size(), kMaxLogLine + piece.size());
}

TEST(FormatLine, PadsNamesAndPaintsThem) {
  const LogLine line{at(0), LogStream::out, "hello"};
  EXPECT_EQ(format_line({}, "a-1", 3, 0, line), "a-1  | hello\n");
  EXPECT_EQ(format_line({}, "a-1", 6, 0, line), "a-1     | hello\n");
  EXPECT_EQ(format_line({.prefix = false}, "a-1", 6, 0, line), "hello\n");
  EXPECT_EQ(format_line({.colour = true}, "a-1", 3, 0, line), "\033[36ma-1  | \033[0mhello\n");
  EXPECT_EQ(format_line({.timestamps = true}, "a-1", 3, 0, line),
            "a-1  | 1970-01-01T00:00:00Z hello\n");
}

}  // namespace
}  // namespace cli
