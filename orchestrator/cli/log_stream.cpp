#include "orchestrator/cli/log_stream.hpp"

#include <queue>

#include "orchestrator/cli/console.hpp"
#include "orchestrator/translate.hpp"
#include "runtime/image/timestamp.hpp"
#include "runtime/os/file.hpp"

namespace cli {

namespace {

constexpr std::size_t kFlushAt = 64 * 1024;
constexpr std::array<const char*, 10> kColours{"36",   "33",   "32",   "35",   "34",
                                               "36;1", "33;1", "32;1", "35;1", "34;1"};

}  // namespace

std::string format_line(const LogFormat& format, const std::string& name, std::size_t width,
                        std::size_t colour, const LogLine& line) {
  std::string text;
  if (format.prefix) {
    const std::string padding(width > name.size() ? width - name.size() : 0, ' ');
    const std::string prefix = name + padding + "  | ";
    if (format.colour)
      text = std::string("\033[") + kColours[colour % kColours.size()] + "m" + prefix + "\033[0m";
    else
      text = prefix;
  }
  if (format.timestamps) text += image::format_timestamp(line.time) + " ";
  return text + line.text + "\n";
}

void LogStream::add(const orchestrator::ContainerRecord& record,
                    const container::LogReaderOptions& options, bool follow) {
  const std::string path = orchestrator::ContainerLayout(paths_, record.short_id()).log;
  const std::string directory = path.substr(0, path.rfind('/'));
  if (!os::exists(directory)) return;
  const std::string name = short_name(record);
  width_ = std::max(width_, name.size());
  sources_[record.id] = std::make_unique<Source>(
      Source{.name = name, .colour = colours_++, .reader = LineReader(path, options, follow)});
}

std::set<std::string> LogStream::ids() const {
  std::set<std::string> ids;
  for (const auto& [id, source] : sources_) ids.insert(id);
  return ids;
}

void LogStream::print() {
  using Waiting = std::pair<Time, Source*>;
  std::priority_queue<Waiting, std::vector<Waiting>, std::greater<>> queue;
  for (const auto& [id, source] : sources_) {
    source->reader.drain();
    if (const LogLine* line = source->reader.peek()) queue.emplace(line->time, source.get());
  }
  while (!queue.empty()) {
    Source* source = queue.top().second;
    queue.pop();
    write(*source, *source->reader.peek());
    source->reader.pop();
    if (const LogLine* line = source->reader.peek()) queue.emplace(line->time, source);
  }
  flush();
}

void LogStream::end_of(const std::string& id) {
  const auto found = sources_.find(id);
  if (found == sources_.end()) return;
  for (const LogLine& line : found->second->reader.rest()) write(*found->second, line);
  flush();
}

void LogStream::add_wakes(std::vector<pollfd>& fds) const {
  for (const auto& [id, source] : sources_)
    if (source->reader.wake() >= 0) fds.push_back({source->reader.wake(), POLLIN, 0});
}

void LogStream::write(const Source& source, const LogLine& line) {
  const bool is_error = format_.split && line.stream == container::LogStream::err;
  std::string& target = is_error ? err_ : out_;
  target += format_line(format_, source.name, width_, source.colour, line);
  if (target.size() > kFlushAt) flush();
}

void LogStream::flush() {
  if (make_room_ && !(out_.empty() && err_.empty())) make_room_();
  write_out(std::exchange(out_, {}));
  write_err(std::exchange(err_, {}));
}

}  // namespace cli
