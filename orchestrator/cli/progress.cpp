#include "orchestrator/cli/progress.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace cli {

namespace {

using orchestrator::protocol::Json;

constexpr std::array<const char*, 10> kSpinner{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"};

bool is_failure(const std::string& status) {
  return status.starts_with("Error") || status == "Unhealthy";
}

std::string json_line(const std::string& id, const std::string& status, bool final) {
  const Json line = {{"id", id},
                     {"status", is_failure(status) ? "Error"
                                : final            ? "Done"
                                                   : "Working"},
                     {"text", status}};
  return line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string seconds_text(std::chrono::steady_clock::duration time) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1fs", std::chrono::duration<double>(time).count());
  return text;
}

}  // namespace

Progress::Row& Progress::row_of(const std::string& kind, const std::string& name,
                                Clock::time_point now) {
  const auto found = std::find_if(items_.begin(), items_.end(), [&](const Row& row) {
    return row.kind == kind && row.name == name;
  });
  if (found != items_.end()) return *found;
  return items_.emplace_back(Row{.kind = kind, .name = name, .begin = now, .end = now});
}

std::string Progress::take(const Json& event, Clock::time_point now) {
  const std::string kind = event.value("kind", "");
  const std::string name = event.value("name", "");
  const std::string status = event.value("status", "");
  const bool final = event.value("final", false);
  switch (style_) {
    case ProgressStyle::quiet:
      return {};
    case ProgressStyle::json:
      return json_line(kind + " " + name, status, final);
    case ProgressStyle::plain:
      return " " + kind + " " + name + " " + status + "\n";
    case ProgressStyle::tty:
      break;
  }
  Row& row = row_of(kind, name, now);
  if (row.final) row.begin = now;  // it goes on to its next step
  row.status = status;
  row.final = final;
  row.end = now;
  return redraw(now);
}

bool Progress::animated() const {
  return style_ == ProgressStyle::tty &&
         std::any_of(items_.begin(), items_.end(), [](const Row& row) { return !row.final; });
}

std::string Progress::redraw(Clock::time_point now) {
  if (style_ != ProgressStyle::tty || items_.empty()) return {};
  ++frame_;
  std::string text = erase();
  text += draw(now);
  return text;
}

std::string Progress::erase() {
  if (drawn_ == 0) return {};
  // Up to the block's first line, and away with everything below.
  return "\033[" + std::to_string(std::exchange(drawn_, 0)) + "A\r\033[J";
}

std::string Progress::finish(Clock::time_point now) {
  std::string text = redraw(now);
  drawn_ = 0;
  return text;
}

std::string Progress::draw(Clock::time_point now) {
  const auto done = static_cast<std::size_t>(
      std::count_if(items_.begin(), items_.end(), [](const Row& row) { return row.final; }));
  std::string text =
      "[+] Running " + std::to_string(done) + "/" + std::to_string(items_.size()) + "\n";
  drawn_ = 1;
  const std::size_t room = rows_ > 3 ? static_cast<std::size_t>(rows_ - 2) : 1;
  // What is under way matters most when not all fits.
  std::size_t surplus = items_.size() > room ? items_.size() - room : 0;
  for (const Row& row : items_) {
    if (surplus > 0 && row.final) {
      --surplus;
      continue;
    }
    if (drawn_ > room) break;
    text += draw_row(row, now);
    ++drawn_;
  }
  return text;
}

std::string Progress::draw_row(const Row& row, Clock::time_point now) const {
  const bool failed = is_failure(row.status);
  const char* mark = failed ? "✘" : row.final ? "✔" : kSpinner[frame_ % kSpinner.size()];
  const char* paint = failed ? "\033[31m" : row.final ? "\033[32m" : "\033[33m";
  const std::string time = seconds_text((row.final ? row.end : now) - row.begin);
  std::string middle = row.kind + " " + row.name;
  const auto columns = static_cast<std::size_t>(std::max(columns_, 40));
  const std::size_t around = 3 + 2 + row.status.size() + 1 + time.size() + 1;
  const std::size_t width = columns > around + 8 ? columns - around : 8;
  if (middle.size() > width) middle.resize(width);
  std::string left = middle + "  " + row.status;
  const std::size_t used = 3 + left.size() + time.size();
  const std::string gap(columns > used + 1 ? columns - used - 1 : 1, ' ');
  if (!colour_) return std::string(" ") + mark + " " + left + gap + time + "\n";
  left = middle + "  " + paint + row.status + "\033[0m";
  return std::string(" ") + paint + mark + "\033[0m " + left + gap + "\033[34m" + time +
         "\033[0m\n";
}

}  // namespace cli
