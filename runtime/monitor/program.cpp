#include "runtime/monitor/program.hpp"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>

#include "runtime/monitor/devices.hpp"
#include "runtime/monitor/plan.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"
#include "runtime/os/mount.hpp"

namespace monitor {

namespace {

std::string seccomp_cache() {
  if (::geteuid() == 0) return "/run/stack/seccomp";
  const char* runtime = ::getenv("XDG_RUNTIME_DIR");
  return std::string(runtime != nullptr ? runtime : "/tmp") + "/stack/seccomp";
}

}  // namespace

Program make_program(const container::Process& process,
                     const std::optional<container::Seccomp>& seccomp) {
  Program program;
  program.process = process;
  if (process.capabilities)
    program.capabilities = container::capability_masks(*process.capabilities);
  if (seccomp) {
    if (container::needs_listener(*seccomp))
      throw os::Error("seccomp: a policy that notifies a listener is not supported");
    program.filter = container::seccomp_program(*seccomp, seccomp_cache());
    program.filter_flags = container::seccomp_flags(seccomp->flags);
  }
  return program;
}

namespace {

template <class Value, std::size_t Count>
Value value_of(const std::pair<std::string_view, Value> (&table)[Count], const std::string& name) {
  for (const auto& [word, value] : table)
    if (word == name) return value;
  throw os::Error(EINVAL, "use '" + name + "'");
}

void set_scheduler(const container::Scheduler& scheduler) {
  static constexpr std::pair<std::string_view, std::uint32_t> kPolicies[] = {
      {"SCHED_OTHER", 0}, {"SCHED_FIFO", 1}, {"SCHED_RR", 2},      {"SCHED_BATCH", 3},
      {"SCHED_ISO", 4},   {"SCHED_IDLE", 5}, {"SCHED_DEADLINE", 6}};
  static constexpr std::pair<std::string_view, std::uint64_t> kFlags[] = {
      {"SCHED_FLAG_RESET_ON_FORK", 0x01}, {"SCHED_FLAG_RECLAIM", 0x02},
      {"SCHED_FLAG_DL_OVERRUN", 0x04},    {"SCHED_FLAG_KEEP_POLICY", 0x08},
      {"SCHED_FLAG_KEEP_PARAMS", 0x10},   {"SCHED_FLAG_UTIL_CLAMP_MIN", 0x20},
      {"SCHED_FLAG_UTIL_CLAMP_MAX", 0x40}};
  struct {
    std::uint32_t size = 48;
    std::uint32_t policy = 0;
    std::uint64_t flags = 0;
    std::int32_t nice = 0;
    std::uint32_t priority = 0;
    std::uint64_t runtime = 0;
    std::uint64_t deadline = 0;
    std::uint64_t period = 0;
  } attributes;
  attributes.policy = value_of(kPolicies, scheduler.policy);
  for (const std::string& flag : scheduler.flags) attributes.flags |= value_of(kFlags, flag);
  attributes.nice = scheduler.nice;
  attributes.priority = static_cast<std::uint32_t>(scheduler.priority);
  attributes.runtime = scheduler.runtime;
  attributes.deadline = scheduler.deadline;
  attributes.period = scheduler.period;
  os::check(::syscall(SYS_sched_setattr, 0, &attributes, 0),
            [&] { return "set the scheduling policy " + scheduler.policy; });
}

void set_io_priority(const container::IoPriority& priority) {
  static constexpr std::pair<std::string_view, int> kClasses[] = {
      {"IOPRIO_CLASS_RT", 1}, {"IOPRIO_CLASS_BE", 2}, {"IOPRIO_CLASS_IDLE", 3}};
  constexpr int kWhoProcess = 1;
  constexpr int kClassShift = 13;
  const int value = value_of(kClasses, priority.io_class) << kClassShift | priority.priority;
  os::check(::syscall(SYS_ioprio_set, kWhoProcess, 0, value),
            [] { return std::string("set the I/O priority"); });
}

}  // namespace

void set_attributes(const Program& program) {
  if (program.process.scheduler) set_scheduler(*program.process.scheduler);
  if (program.process.io_priority) set_io_priority(*program.process.io_priority);
  if (program.personality) {
    const bool linux32 = program.personality->domain == "LINUX32";
    os::check(::personality(linux32 ? PER_LINUX32 : PER_LINUX),
              [] { return std::string("set the execution domain"); });
  }
}

void set_labels(const container::Process& process, const std::optional<Procfs>& procfs) {
  const auto write = [&](const std::string& file, const std::string& label) {
    if (!procfs) throw os::Error("no proc file system to set the label '" + label + "' with");
    procfs->write("self/attr/" + file, label);
  };
  if (!process.apparmor_profile.empty() && process.apparmor_profile != "unconfined")
    write("apparmor/exec", "exec " + process.apparmor_profile);
  if (!process.selinux_label.empty()) write("exec", process.selinux_label);
}

void give_streams(const container::Process& process) {
  const std::uint32_t uid = process.user.uid;
  for (int stream = 0; stream < 3; ++stream) {
    struct stat status {};
    if (::fstat(stream, &status) != 0 || status.st_uid == uid) continue;
    const bool own_terminal = process.terminal && S_ISCHR(status.st_mode);
    if (!own_terminal && !S_ISFIFO(status.st_mode) && !S_ISSOCK(status.st_mode)) continue;
    if (::fchown(stream, uid, static_cast<gid_t>(-1)) == 0) continue;
    if (errno != EPERM && errno != EROFS && errno != EINVAL && errno != EACCES)
      throw os::Error(errno, "give a standard stream to user " + std::to_string(uid));
  }
}

namespace {

/// Through no magic link, and to a place below the root: a descriptor that leaked would otherwise
/// be a way out.
void enter_working_directory(const std::string& path) {
  const os::UniqueFd root = os::open_file("/", O_PATH | O_DIRECTORY);
  const os::UniqueFd directory = os::open_in_root(root.get(), path, O_PATH | O_DIRECTORY);
  os::check(::fchdir(directory.get()), [&] { return "change to the directory '" + path + "'"; });
  char buffer[PATH_MAX];
  const long length = ::syscall(SYS_getcwd, buffer, sizeof buffer);
  if (length <= 0 || buffer[0] != '/')
    throw os::Error(length < 0 ? errno : EXDEV, "change to the directory '" + path + "'");
}

bool try_working_directory(const std::string& path) {
  try {
    enter_working_directory(path);
    return true;
  } catch (const os::Error& error) {
    if (error.code() != EACCES) throw;
    return false;
  }
}

void install_filter(const Program& program, Progress& progress) {
  if (program.filter.empty()) return;
  progress.stage = Stage::seccomp;
  container::install_seccomp(program.filter, program.filter_flags);
}

void change_user(const container::User& user) {
  // The primary group is always one of the supplementary ones: a member of a group must not get
  // past a mode that denies that group.
  std::vector<gid_t> groups{user.gid};
  for (const std::uint32_t gid : user.additional_gids)
    if (std::find(groups.begin(), groups.end(), gid) == groups.end()) groups.push_back(gid);
  const auto hint = [](const char* what, std::uint32_t id) {
    return std::string(what) + " " + std::to_string(id) +
           (errno == EINVAL ? " (is it in the id map of the user namespace?)" : "");
  };
  os::check(::setgroups(groups.size(), groups.data()),
            [&] { return hint("set the groups with", user.gid); });
  os::check(::setresgid(user.gid, user.gid, user.gid),
            [&] { return hint("become group", user.gid); });
  os::check(::setresuid(user.uid, user.uid, user.uid),
            [&] { return hint("become user", user.uid); });
}

}  // namespace

void assume_identity(const Program& program, Progress& progress) {
  const container::Process& process = program.process;
  progress.stage = Stage::working_directory;
  const bool entered = try_working_directory(process.cwd);
  // Installing a filter takes CAP_SYS_ADMIN or no_new_privs, so it goes first or last.
  if (!process.no_new_privileges) install_filter(program, progress);

  progress.stage = Stage::capabilities;
  container::drop_bounding_capabilities(program.capabilities.bounding);
  os::check(::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), [] { return std::string("keep capabilities"); });
  progress.stage = Stage::identity;
  change_user(process.user);
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);  // changing the user may have set it again
  ::umask(process.user.umask.value_or(022));
  progress.stage = Stage::capabilities;
  os::check(::prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0), [] { return std::string("drop capabilities"); });
  container::set_capabilities(program.capabilities);
  container::set_ambient_capabilities(program.capabilities.ambient);
  progress.stage = Stage::working_directory;
  if (!entered) enter_working_directory(process.cwd);
  if (!process.no_new_privileges) return;
  progress.stage = Stage::capabilities;
  os::check(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
            [] { return std::string("set no_new_privs"); });
  install_filter(program, progress);
}

namespace {

std::optional<std::string> variable(const container::Process& process, std::string_view name) {
  for (const std::string& entry : process.env)
    if (entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=')
      return entry.substr(name.size() + 1);
  return std::nullopt;
}

/// 0 when the current user may execute the file at `path`, else the errno that execve(2) would
/// give; EISDIR for a directory.
int why_not_executable(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return errno;
  if (S_ISDIR(status.st_mode)) return EISDIR;
  if (!S_ISREG(status.st_mode)) return EACCES;
  return ::access(path.c_str(), X_OK) == 0 ? 0 : errno;
}

std::string home_of(std::uint32_t uid) {
  constexpr std::size_t kMaxPasswd = 1024 * 1024;
  std::optional<std::string> text;
  try {
    text = os::read_file_if_exists("/etc/passwd", kMaxPasswd);
  } catch (const os::Error&) {
    return "/";  // a program that needs HOME right has it in its environment
  }
  if (!text) return "/";
  const std::string wanted = std::to_string(uid);
  for (std::size_t begin = 0; begin < text->size();) {
    std::size_t end = text->find('\n', begin);
    if (end == std::string::npos) end = text->size();
    std::vector<std::string> fields;
    const std::string line = text->substr(begin, end - begin);
    for (std::size_t at = 0; at <= line.size() && fields.size() < 7;) {
      const std::size_t colon = std::min(line.find(':', at), line.size());
      fields.push_back(line.substr(at, colon - at));
      at = colon + 1;
    }
    if (fields.size() >= 6 && fields[2] == wanted && !fields[5].empty()) return fields[5];
    begin = end + 1;
  }
  return "/";
}

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (const std::string& string : strings) result.push_back(const_cast<char*>(string.c_str()));
  result.push_back(nullptr);
  return result;
}

}  // namespace

std::string find_program(const container::Process& process) {
  const std::string& name = process.args.front();
  if (name.find('/') != std::string::npos) {
    if (const int reason = why_not_executable(name))
      throw os::Error(reason,
                      "exec: \"" + name + "\": " +
                          (reason == EACCES ? "permission denied" : "executable file not found"));
    return name;
  }
  const std::string path =
      variable(process, "PATH")
          .value_or("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  int reason = ENOENT;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find(':', begin), path.size());
    const std::string directory = path.substr(begin, end - begin);
    begin = end + 1;
    const std::string candidate = (directory.empty() ? "." : directory) + "/" + name;
    const int found = name.empty() ? ENOENT : why_not_executable(candidate);
    if (found == 0) return candidate;
    if (found == EACCES) reason = EACCES;
  }
  throw os::Error(
      reason, "exec: \"" + name + "\": " +
                  (reason == ENOENT ? "executable file not found in $PATH" : "permission denied"));
}

std::vector<std::string> complete_environment(const container::Process& process) {
  std::vector<std::string> environment = process.env;
  if (!variable(process, "HOME")) environment.push_back("HOME=" + home_of(process.user.uid));
  if (process.terminal && !variable(process, "TERM")) environment.emplace_back("TERM=xterm");
  return environment;
}

void execute(const Program& program, const std::string& path) {
  std::vector<std::string> arguments = program.process.args;
  std::string executable = path;
  if (program.below_init_helper) {
    executable = kInitPath;
    arguments.insert(arguments.begin(), executable);
  }
  const std::vector<std::string> environment = complete_environment(program.process);
  ::execve(executable.c_str(), pointers(arguments).data(), pointers(environment).data());
  const int reason = errno;
  throw os::Error(reason, "exec: \"" + program.process.args.front() + "\"" +
                              (reason == EACCES ? ": permission denied" : ""));
}

}  // namespace monitor
