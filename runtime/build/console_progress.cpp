#include "runtime/build/console_progress.hpp"

#include <algorithm>
#include <cstdio>

namespace build {

namespace {

constexpr std::size_t kShownLines = 6;

std::string seconds_text(std::chrono::steady_clock::duration time, int digits) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", digits, std::chrono::duration<double>(time).count());
  return text;
}

/// What a program writes may hold anything; a terminal obeys it.
std::string harmless(std::string_view text) {
  // Of a line that was drawn over itself the last state counts.
  const auto back = text.find_last_of('\r');
  if (back != std::string_view::npos && back + 1 < text.size()) text = text.substr(back + 1);
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\t')
      result += ' ';
    else if (byte >= 0x20 && byte != 0x7F)
      result += c;
  }
  return result;
}

}  // namespace

std::size_t PlainProgress::begin(const std::string& name) {
  const std::lock_guard lock(mutex_);
  begun_.push_back(now_());
  sink_("#" + std::to_string(begun_.size()) + " " + name + "\n");
  return begun_.size();
}

void PlainProgress::line(std::size_t step, std::string_view text) {
  const std::lock_guard lock(mutex_);
  sink_("#" + std::to_string(step) + " " + seconds_text(now_() - begun_[step - 1], 3) + " " +
        std::string(text) + "\n");
}

void PlainProgress::end(std::size_t step, End how) {
  const std::lock_guard lock(mutex_);
  const std::string number = "#" + std::to_string(step) + " ";
  switch (how) {
    case End::done:
      return sink_(number + "DONE " + seconds_text(now_() - begun_[step - 1], 1) + "s\n");
    case End::cached:
      return sink_(number + "CACHED\n");
    case End::failed:
      return sink_(number + "ERROR\n");
    case End::canceled:
      return sink_(number + "CANCELED\n");
  }
}

void PlainProgress::note(const std::string& text) {
  const std::lock_guard lock(mutex_);
  sink_(text.ends_with('\n') ? text : text + "\n");
}

TerminalProgress::TerminalProgress(TextSink sink, int rows, int columns, bool colour)
    : sink_(std::move(sink)),
      rows_(std::max(rows, 8)),
      columns_(std::max(columns, 20)),
      colour_(colour),
      thread_([this] { animate(); }) {}

TerminalProgress::~TerminalProgress() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
  sink_(erase());
}

void TerminalProgress::animate() {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, std::chrono::milliseconds(100), [this] { return stop_; }))
    sink_(erase() + draw(Clock::now()));
}

std::string TerminalProgress::erase() {
  if (drawn_ == 0) return {};
  std::string text = "\033[" + std::to_string(drawn_) + "A\r\033[J";
  drawn_ = 0;
  return text;
}

std::string TerminalProgress::fit(const std::string& text, int reserve) const {
  const auto width = static_cast<std::size_t>(std::max(columns_ - reserve, 8));
  // By characters, not bytes; none is wider than one column here.
  std::size_t columns = 0;
  std::size_t end = 0;
  while (end < text.size() && columns < width) {
    ++end;
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) ++end;
    ++columns;
  }
  return text.substr(0, end) + std::string(width - columns, ' ');
}

std::string TerminalProgress::draw(Clock::time_point now) {
  std::string text;
  const std::size_t room = static_cast<std::size_t>(rows_) - 2;
  for (const Row& row : items_) {
    if (!row.running || drawn_ >= room) continue;
    text += " => " + fit(harmless(row.name), 14) + " " + seconds_text(now - row.begun, 1) + "s\n";
    ++drawn_;
    for (const std::string& line : row.last) {
      if (drawn_ >= room) break;
      text += (colour_ ? "\033[2m" : "") + std::string(" => => ") + fit(line, 8) +
              (colour_ ? "\033[0m" : "") + "\n";
      ++drawn_;
    }
  }
  return text;
}

std::string TerminalProgress::finished_row(const Row& row, End how, Clock::time_point now) const {
  const std::string word = how == End::cached     ? "CACHED "
                           : how == End::failed   ? "ERROR "
                           : how == End::canceled ? "CANCELED "
                                                  : "";
  const std::string begin = !colour_ ? "" : how == End::failed ? "\033[31m" : "\033[34m";
  return begin + " => " + fit(word + harmless(row.name), 14) + " " +
         seconds_text(now - row.begun, 1) + "s" + (colour_ ? "\033[0m" : "") + "\n";
}

std::size_t TerminalProgress::begin(const std::string& name) {
  const std::lock_guard lock(mutex_);
  items_.push_back({.name = name, .begun = Clock::now()});
  return items_.size();
}

void TerminalProgress::line(std::size_t step, std::string_view text) {
  const std::lock_guard lock(mutex_);
  auto& last = items_[step - 1].last;
  last.push_back(harmless(text));
  if (last.size() > kShownLines) last.erase(last.begin());
}

void TerminalProgress::end(std::size_t step, End how) {
  const std::lock_guard lock(mutex_);
  Row& row = items_[step - 1];
  row.running = false;
  row.last.clear();
  const auto now = Clock::now();
  sink_(erase() + finished_row(row, how, now));
  sink_(draw(now));
}

void TerminalProgress::note(const std::string& text) {
  const std::lock_guard lock(mutex_);
  sink_(erase() + text + (text.ends_with('\n') ? "" : "\n"));
  sink_(draw(Clock::now()));
}

}  // namespace build
