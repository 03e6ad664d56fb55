#include "orchestrator/cli/log_lines.hpp"

#include <algorithm>

namespace cli {

std::optional<LogLine> LineAssembler::add(const container::LogEntry& entry) {
  std::optional<LogLine>& open = open_[entry.stream == container::LogStream::out ? 0 : 1];
  if (!open) open = LogLine{.time = entry.time, .stream = entry.stream, .text = {}};
  open->text += entry.text;
  if (entry.partial && open->text.size() < kMaxLogLine) return std::nullopt;
  return std::exchange(open, std::nullopt);
}

std::vector<LogLine> LineAssembler::rest() {
  std::vector<LogLine> lines;
  for (std::optional<LogLine>& open : open_)
    if (open) lines.push_back(*std::exchange(open, std::nullopt));
  std::sort(lines.begin(), lines.end(),
            [](const LogLine& one, const LogLine& other) { return one.time < other.time; });
  return lines;
}

LineReader::LineReader(const std::string& path, const container::LogReaderOptions& options,
                       bool follow)
    : reader_(path, options), follow_(follow) {
  if (follow_) reader_.follow();
}

const LogLine* LineReader::peek() {
  while (!head_) {
    const auto entry = reader_.next();
    if (!entry) return nullptr;
    head_ = assembler_.add(*entry);
  }
  return &*head_;
}

}  // namespace cli
