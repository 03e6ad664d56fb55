// Freezing and killing what is in a container's control groups (cgroup-v2.rst, "Core Interface
// Files"; freezer-subsystem.rst for v1).
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <thread>

#include "runtime/container/cgroup.hpp"
#include "runtime/container/cgroup_files.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace container {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// Waits until `key` of cgroup.events is `wanted`; false at the deadline. The descriptor polls as
// POLLPRI when the file has changed since it was last read through it.
bool wait_event(const std::string& directory, std::string_view key, std::uint64_t wanted,
                Clock::time_point deadline) {
  const os::UniqueFd file(::open((directory + "/cgroup.events").c_str(), O_RDONLY | O_CLOEXEC));
  for (;;) {
    char text[256];
    const ssize_t size = file ? ::pread(file.get(), &text[0], sizeof(text), 0) : -1;
    // A group that is gone has no process (ENODEV).
    if (size < 0) return wanted == 0;
    const std::string_view read(&text[0], static_cast<std::size_t>(size));
    if (find_keyed(read, key).value_or(0) == wanted) return true;
    const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return false;
    pollfd poll = {.fd = file.get(), .events = POLLPRI, .revents = 0};
    ::poll(&poll, 1, static_cast<int>(std::min<std::int64_t>(left, 1000)));
  }
}

// v1: tasks that are being created or sleep uninterruptibly hold FREEZING up; writing again helps,
// and now and then a thaw in between.
void freeze_v1(const std::string& directory, Clock::time_point deadline) {
  const std::string file = directory + "/freezer.state";
  for (int attempt = 1;; ++attempt) {
    os::write_to(file, "FROZEN");
    if (os::read_file(file, 64).starts_with("FROZEN")) return;
    if (Clock::now() > deadline) {
      os::write_to(file, "THAWED");
      throw os::Error(ETIMEDOUT, "freeze the control group '" + directory + "'");
    }
    if (attempt % 50 == 0) os::write_to(file, "THAWED");
    std::this_thread::sleep_for(milliseconds(attempt % 50 == 0 ? 10 : 1));
  }
}

}  // namespace

void Cgroup::freeze(milliseconds timeout) const {
  const auto deadline = Clock::now() + timeout;
  if (const std::string* path = unified_path()) {
    os::write_to(*path + "/cgroup.freeze", "1");
    if (wait_event(*path, "frozen", 1, deadline)) return;
    os::write_to(*path + "/cgroup.freeze", "0");
    throw os::Error(ETIMEDOUT, "freeze the control group '" + *path + "'");
  }
  const auto directory = this->directory("freezer");
  if (!directory) throw os::Error("pause: this machine has no 'freezer' controller");
  freeze_v1(*directory, deadline);
}

void Cgroup::thaw() const {
  if (const std::string* path = unified_path()) {
    os::write_to(*path + "/cgroup.freeze", "0");
  } else if (const auto directory = this->directory("freezer")) {
    os::write_to(*directory + "/freezer.state", "THAWED");
  }
}

bool Cgroup::frozen() const {
  if (const std::string* path = unified_path()) {
    return read_number(*path + "/cgroup.freeze").value_or(0) == 1;
  }
  const auto directory = this->directory("freezer");
  return directory && read_number(*directory + "/freezer.self_freezing").value_or(0) == 1;
}

void Cgroup::signal_all(int signal) const {
  for (const pid_t pid : processes()) ::kill(pid, signal);
}

void Cgroup::kill_all() const {
  if (const std::string* path = unified_path(); path && os::exists(*path + "/cgroup.kill")) {
    os::write_to(*path + "/cgroup.kill", "1");
    return;
  }
  // Without cgroup.kill (before 5.14) a fork can outrun the list: stand still, kill, go on, again.
  constexpr int kRounds = 20;
  for (int round = 0; round < kRounds && populated(); ++round) {
    try {
      freeze(milliseconds(200));
    } catch (const os::Error&) {
      // What cannot be frozen is killed as it runs.
    }
    signal_all(SIGKILL);
    thaw();
    if (wait_empty(milliseconds(50))) return;
  }
}

bool Cgroup::wait_empty(milliseconds timeout) const {
  const auto deadline = Clock::now() + timeout;
  if (const std::string* path = unified_path()) {
    return wait_event(*path, "populated", 0, deadline);
  }
  for (auto pause = milliseconds(1); !processes().empty();
       pause = std::min(2 * pause, milliseconds(20))) {
    if (Clock::now() > deadline) return false;
    std::this_thread::sleep_for(pause);
  }
  return true;
}

}  // namespace container
