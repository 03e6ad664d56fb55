// Follows the logs of a project's containers: those that come later too, until none runs any more.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "orchestrator/cli/interrupts.hpp"
#include "orchestrator/cli/journal_reader.hpp"
#include "orchestrator/cli/log_stream.hpp"

namespace cli {

class Follower {
 public:
  using Json = JournalReader::Json;
  using Wanted = std::function<bool(const orchestrator::ContainerRecord&)>;

  /// `wanted` says whose logs are shown. `stream` may show some already. Of those that come, what
  /// was written before `since` is left out.
  Follower(const orchestrator::Paths& paths, std::string project, JournalReader& journal,
           LogStream& stream, Wanted wanted, std::optional<Time> since = std::nullopt);
  virtual ~Follower() = default;

  /// Returns the exit code: 0 when the last container has ended, 130 when interrupted.
  int run();

 protected:
  /// A container of the project ended; all that it has written is on the screen.
  virtual void on_end(const ContainerView& /*view*/, int /*code*/) {}
  /// A signal came. Returns the exit code to end with, if it is to end.
  virtual std::optional<int> on_interrupt() { return kInterrupted; }
  /// Adds more to poll for.
  virtual void add_wakes(std::vector<pollfd>& /*fds*/) {}
  /// Something woke. Returns the exit code to end with, if it is to end.
  virtual std::optional<int> on_wake() { return std::nullopt; }
  /// Milliseconds until on_wake() wants to be called whatever happens; -1: never.
  virtual int wake_after() const { return -1; }
  /// Whether containers may still come to run, though none does.
  virtual bool expects_more() const { return false; }
  /// The exit code when the last container has ended.
  virtual int code_at_end() { return 0; }

  /// Shows all that has happened by now.
  void catch_up();
  /// Takes up containers that are new; finds out what runs.
  void scan();

  const orchestrator::Paths& paths() const { return paths_; }
  const std::string& project() const { return project_; }
  LogStream& stream() { return stream_; }
  bool wanted(const orchestrator::ContainerRecord& record) const { return wanted_(record); }

 private:
  struct End {
    std::string id;
    int code = 0;
  };
  void take_events();
  void tell_ends();
  bool over(bool grace_is_over) const;
  int timeout() const;

  const orchestrator::Paths& paths_;
  std::string project_;
  JournalReader& journal_;
  LogStream& stream_;
  Wanted wanted_;
  std::optional<Time> since_;
  Interrupts interrupts_;
  bool stopped_by_user_ = false;  ///< the last one that ended was told to
  bool any_active_ = false;
  int settling_scans_ = 0;  ///< in a row that found a container whose end is not written down yet
  std::vector<End> ends_;   ///< not told yet
  std::map<std::string, ContainerView> known_;  ///< by id
};

}  // namespace cli
