// Processes added to a running container.
#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include "runtime/container/spec.hpp"
#include "runtime/monitor/create.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace monitor {

namespace {

constexpr container::NamespaceType kAllNamespaces[] = {
    container::NamespaceType::mount,   container::NamespaceType::pid,
    container::NamespaceType::network, container::NamespaceType::ipc,
    container::NamespaceType::uts,     container::NamespaceType::user,
    container::NamespaceType::cgroup,  container::NamespaceType::time};

/// CLONE_NEW… of the namespaces that differ from ours: entering one's own user namespace is an
/// error (setns(2)).
std::uint64_t foreign_namespaces(const std::string& process) {
  std::uint64_t flags = 0;
  for (const container::NamespaceType type : kAllNamespaces) {
    const std::string name = "/ns/" + std::string(container::namespace_proc_name(type));
    if (!os::exists("/proc/self" + name)) continue;  // a kernel without that type
    const os::UniqueFd theirs = os::open_file(process + name, O_RDONLY);
    const os::UniqueFd ours = os::open_file("/proc/self" + name, O_RDONLY);
    if (file_identity(theirs.get()) != file_identity(ours.get()))
      flags |= container::namespace_clone_flag(type);
  }
  return flags;
}

Launch describe_launch(ExecRequest& request) {
  Launch launch;
  const std::string process = "/proc/" + std::to_string(request.init);
  launch.target = os::duplicate(request.pidfd->get());
  launch.target_namespaces = foreign_namespaces(process);
  const os::UniqueFd root = os::open_file(process + "/root", O_PATH | O_DIRECTORY);
  launch.target_root = file_identity(root.get());
  // All of the above was read by number: it holds if the process behind the pidfd still lives.
  if (request.pidfd->has_exited())
    throw os::Error(ESRCH, "enter the container, whose first process has ended");
  launch.program = std::move(request.program);
  launch.streams = std::move(request.streams);
  launch.preserved = request.preserved;
  launch.cgroup = request.cgroup->unified_directory();
  launch.cgroup_entrances = request.cgroup->entrances();
  return launch;
}

}  // namespace

Launched launch_exec(ExecRequest& request) {
  try {
    if (request.cgroup->frozen())
      throw StageError({Stage::validate, EBUSY, "the container is paused: resume it first"});
    Launch description = describe_launch(request);
    const container::Process& process = description.program.process;
    LaunchObserver observer;
    observer.cloned = [&](pid_t pid) {
      set_oom_score(pid, process);
      if (description.in_foreign_user_namespace()) set_resource_limits(pid, process.rlimits);
    };
    return launch(description, observer);
  } catch (...) {
    throw StageError(current_failure(Stage::join_namespace));
  }
}

void set_resource_limits(pid_t pid, const std::vector<container::Rlimit>& limits) {
  for (const container::Rlimit& limit : limits) {
    const auto number = container::rlimit_number(limit.type);
    if (!number) throw os::Error(EINVAL, "set the resource limit " + limit.type);
    const rlimit value{.rlim_cur = limit.soft, .rlim_max = limit.hard};
    os::check(::prlimit(pid, static_cast<__rlimit_resource>(*number), &value, nullptr), [&] {
      return "set " + limit.type + " to " + std::to_string(limit.soft) + ":" +
             std::to_string(limit.hard);
    });
  }
}

namespace {
int remembered_oom_score = 0;
int current_oom_score = 0;

int read_oom_score() { return std::atoi(os::read_file("/proc/self/oom_score_adj").c_str()); }
}  // namespace

void remember_oom_score(bool protect) {
  remembered_oom_score = read_oom_score();
  try {
    if (protect) os::write_to("/proc/self/oom_score_adj", "-999");
  } catch (const os::Error&) {
    // Without CAP_SYS_RESOURCE the monitor stays as killable as it is.
  }
  current_oom_score = read_oom_score();
}

void set_oom_score(pid_t pid, const container::Process& process) {
  const int wanted = process.oom_score_adj.value_or(remembered_oom_score);
  if (wanted == current_oom_score) return;
  os::write_to("/proc/" + std::to_string(pid) + "/oom_score_adj", std::to_string(wanted));
}

}  // namespace monitor
