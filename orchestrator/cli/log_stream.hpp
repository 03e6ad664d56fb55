// The logs of several containers on our own output: prefixes, colours, order by time.
#pragma once

#include <poll.h>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "orchestrator/cli/container_view.hpp"
#include "orchestrator/cli/log_lines.hpp"

namespace cli {

struct LogFormat {
  bool prefix = true;
  bool timestamps = false;
  bool colour = false;
  bool split = false;  ///< standard error goes to standard error
};

/// One line as it is printed; `width` is that of the widest name. Pure.
std::string format_line(const LogFormat& format, const std::string& name, std::size_t width,
                        std::size_t colour, const LogLine& line);

class LogStream {
 public:
  LogStream(const orchestrator::Paths& paths, LogFormat format) : paths_(paths), format_(format) {}

  /// Shows this container too. Content when its log does not exist.
  void add(const orchestrator::ContainerRecord& record, const container::LogReaderOptions& options,
           bool follow);
  /// Leaves room for a name that comes later, so that all lines stand in the same columns.
  void widen(const std::string& name) { width_ = std::max(width_, name.size()); }
  bool has(const std::string& id) const { return sources_.contains(id); }
  std::set<std::string> ids() const;
  /// Prints all that has been written by now, in the order of time.
  void print();
  /// The container has ended: prints a last line without newline, too.
  void end_of(const std::string& id);
  /// It is gone: its log is not read any more.
  void forget(const std::string& id) { sources_.erase(id); }
  /// Is called before anything is written: what else is on the screen makes room.
  void before_writing(std::function<void()> make_room) { make_room_ = std::move(make_room); }
  /// Adds what to poll for; whatever wakes, call print().
  void add_wakes(std::vector<pollfd>& fds) const;

 private:
  struct Source {
    std::string name;
    std::size_t colour = 0;
    LineReader reader;
  };
  void write(const Source& source, const LogLine& line);
  void flush();

  const orchestrator::Paths& paths_;
  LogFormat format_;
  std::map<std::string, std::unique_ptr<Source>> sources_;  ///< by id
  std::size_t width_ = 0;
  std::size_t colours_ = 0;
  std::string out_;
  std::string err_;
  std::function<void()> make_room_;
};

}  // namespace cli
