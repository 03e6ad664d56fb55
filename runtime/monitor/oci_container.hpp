// A container that no monitor holds: its directory below --root, between one command and the next.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/container/cgroup.hpp"
#include "runtime/container/spec.hpp"
#include "runtime/container/state.hpp"
#include "runtime/monitor/create.hpp"
#include "runtime/os/file.hpp"
#include "runtime/os/process.hpp"

namespace monitor {

struct OciCreateOptions {
  std::string bundle;
  std::string console_socket;
  std::string pid_file;
  unsigned preserved = 0;
  bool extensions = false;  ///< see CreateRequest
};

class OciContainer {
 public:
  /// Makes the container and leaves its process at the gate. Throws when the id is taken.
  static OciContainer create(const std::string& root, const std::string& id,
                             const OciCreateOptions& options);
  /// Throws os::Error when there is none.
  static OciContainer open(const std::string& root, const std::string& id);
  /// Removes what a creation left that was killed before it wrote a record. False when there is a
  /// record, so that the container can be opened.
  static bool clear_unfinished(const std::string& root, const std::string& id);
  /// Ids of all containers below `root`.
  static std::vector<std::string> list(const std::string& root);

  /// Opens the gate; returns when the program is executed. Throws StageError.
  void start();
  void kill(int signal, bool all);
  void pause();
  void resume();
  /// Removes what is left of it; `force` kills it first.
  void remove(bool force);
  /// Waits for a process that this one created and gives back its exit code.
  int wait();
  /// The process that this one created goes on without it.
  pid_t leave() noexcept { return init_.release(); }
  /// Another process in it; see ExecRequest.
  Launched exec(ExecRequest request);

  /// The record with the status as it is now.
  container::State state() const;
  /// The configuration as it was at creation.
  container::Spec spec() const;
  container::Cgroup cgroup() const;
  /// The master of the terminal, when it was not handed to a console socket.
  os::UniqueFd& terminal() noexcept { return terminal_; }

 private:
  explicit OciContainer(std::string directory) : paths_(std::move(directory)) {}
  std::string gate() const { return paths_.directory + "/gate.sock"; }
  std::string config() const { return paths_.directory + "/config.json"; }
  void make(const std::string& id, const OciCreateOptions& options);
  void read_record(const std::string& id);
  /// Held while the container is made, started and removed: one command at a time.
  void lock();
  void lock_and_reread();
  void stop();
  void remove_cgroup_parent() const;

  container::StatePaths paths_;
  container::State record_;
  std::optional<os::FileLock> lock_;
  os::Child init_;  ///< only where it was created by this process
  os::UniqueFd terminal_;
};

/// Duplicates of our standard streams; /dev/null for one that is closed.
Streams own_streams();
/// Writes a pid file whole or not at all.
void write_pid_file(const std::string& path, pid_t pid);

}  // namespace monitor
