// stack-runtime: runs containers from OCI bundles. `monitor` holds one for a supervisor, `init` is
// PID 1 inside of one, everything else is the command line of an OCI runtime.
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "runtime/container/spec_json.hpp"
#include "runtime/monitor/command_line.hpp"
#include "runtime/monitor/hold.hpp"
#include "runtime/monitor/init.hpp"
#include "runtime/monitor/oci.hpp"
#include "runtime/monitor/seal.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/memory.hpp"

namespace {

constexpr int kControl = 3;
constexpr int kLock = 4;
constexpr std::size_t kUsedHeap = 224 * 1024;
constexpr const char* kName = "stack-runtime";

monitor::MonitorOptions monitor_options(const std::vector<std::string>& arguments) {
  const monitor::OptionNames names{.with_value = {{"id"},
                                                  {"bundle"},
                                                  {"state"},
                                                  {"log"},
                                                  {"log-max-size"},
                                                  {"log-max-file"},
                                                  {"on-orphaned"}},
                                   .flags = {{"stdin"}, {"locked"}}};
  const auto line = monitor::CommandLine::parse(arguments, names, false);
  monitor::MonitorOptions options;
  options.id = line.required("id");
  options.bundle = line.required("bundle");
  options.state_directory = line.required("state");
  options.log_path = line.required("log");
  options.log.max_size = monitor::parse_number(line.value_or("log-max-size", "0"), "log-max-size");
  options.log.max_files = static_cast<unsigned>(
      monitor::parse_number(line.value_or("log-max-file", "1"), "log-max-file"));
  options.input = line.flag("stdin");
  options.locked = line.flag("locked");
  if (const auto command = line.value("on-orphaned"))
    options.on_orphaned =
        container::parse_json(*command, "--on-orphaned").get<std::vector<std::string>>();
  return options;
}

/// What a monitor has of its starter's: the control connection and, when it is `locked`, a lock
/// that is held for as long as the descriptor is open, nothing else.
void detach(bool locked) {
  ::setsid();  // fails where the starter did it
  ::close_range((locked ? kLock : kControl) + 1, ~0U, 0);
  if (locked && ::fcntl(kLock, F_SETFD, FD_CLOEXEC) != 0)
    throw os::Error(errno, "use descriptor 4 as the lock");
  ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  for (const int signal : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGPIPE, SIGALRM})
    ::signal(signal, SIG_IGN);
  if (::chdir("/") != 0) throw os::Error(errno, "change to the directory '/'");
  ::umask(077);
}

int run_monitor(const std::vector<std::string>& arguments) {
  monitor::MonitorOptions options = monitor_options(arguments);
  detach(options.locked);
  monitor::remember_oom_score(true);
  os::UniqueFd control(kControl);
  os::check(::fcntl(kControl, F_SETFD, FD_CLOEXEC),
            [] { return std::string("use descriptor 3 as the control connection"); });
  monitor::Monitor(std::move(options)).run(std::move(control));
  return 0;
}

int run(int count, char** arguments) {
  std::vector<std::string> words(arguments + 1, arguments + count);
  if (!words.empty() && words.front() == "init") {
    std::size_t first = words.size() > 1 && words[1] == "--" ? 2 : 1;
    if (first >= words.size()) throw monitor::UsageError("init: no program");
    return monitor::run_init({words.begin() + static_cast<std::ptrdiff_t>(first), words.end()});
  }
  monitor::run_from_read_only_mount(arguments);
  ::prctl(PR_SET_NAME, kName, 0, 0, 0);
  os::populate_heap(kUsedHeap);
  os::populate_program(monitor::kUsedStack);
  if (!words.empty() && words.front() == "monitor")
    return run_monitor({words.begin() + 1, words.end()});
  return monitor::run_oci(words);
}

}  // namespace

int main(int count, char** arguments) {
  try {
    return run(count, arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", kName, error.what());
    return dynamic_cast<const monitor::UsageError*>(&error) != nullptr ? 64 : 125;
  }
}
