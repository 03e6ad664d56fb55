#include "runtime/os/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <climits>

#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace os {

std::optional<ProcessIdentity> identify(pid_t pid) {
  std::optional<std::string> text;
  try {
    text = read_file_if_exists("/proc/" + std::to_string(pid) + "/stat");
  } catch (const Error& error) {
    if (error.code() == ESRCH) return std::nullopt;
    throw;
  }
  if (!text) return std::nullopt;
  // The command may hold blanks and parentheses: fields count from the last one.
  std::size_t at = text->rfind(')');
  for (int field = 2; field < 22 && at != std::string::npos; ++field) at = text->find(' ', at + 1);
  ProcessIdentity identity{.pid = pid, .start_time = 0};
  if (at == std::string::npos ||
      std::from_chars(text->data() + at + 1, text->data() + text->size(), identity.start_time).ec !=
          std::errc())
    throw Error("unexpected content of /proc/" + std::to_string(pid) + "/stat");
  return identity;
}

const std::string& boot_id() {
  static const std::string id = [] {
    std::string text = read_file("/proc/sys/kernel/random/boot_id");
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
  }();
  return id;
}

std::optional<Pidfd> Pidfd::open(pid_t pid) {
  const long fd = ::syscall(SYS_pidfd_open, pid, 0);
  if (fd >= 0) return Pidfd(UniqueFd(static_cast<int>(fd)));
  if (errno == ESRCH) return std::nullopt;
  throw Error(errno, "open a pidfd of process " + std::to_string(pid));
}

std::optional<Pidfd> Pidfd::open(const ProcessIdentity& identity) {
  if (identity.pid <= 0) return std::nullopt;
  auto pidfd = open(identity.pid);  // first, so that the check below speaks of this very process
  if (!pidfd || identify(identity.pid) != identity) return std::nullopt;
  return pidfd;
}

bool Pidfd::send_signal(int signal) const {
  if (::syscall(SYS_pidfd_send_signal, fd_.get(), signal, nullptr, 0) == 0) return true;
  if (errno == ESRCH) return false;
  throw Error(errno, "send signal " + std::to_string(signal));
}

bool Pidfd::has_exited() const {
  pollfd entry{.fd = fd_.get(), .events = POLLIN, .revents = 0};
  return ::poll(&entry, 1, 0) > 0;
}

ExitStatus exit_status_from(const siginfo_t& info) noexcept {
  if (info.si_code == CLD_EXITED) return {.code = info.si_status, .signal = 0};
  return {.code = 128 + info.si_status, .signal = info.si_status};
}

Child& Child::operator=(Child&& other) noexcept {
  if (this != &other) {
    kill_and_reap();
    pid_ = std::exchange(other.pid_, 0);
    pidfd_ = std::move(other.pidfd_);
  }
  return *this;
}

Child::~Child() { kill_and_reap(); }

void Child::kill_and_reap() noexcept {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);  // not reaped yet, so the pid is still this child's
  siginfo_t info{};
  while (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED) != 0 && errno == EINTR) {
  }
  pid_ = 0;
}

ExitStatus Child::wait() {
  siginfo_t info{};
  int result = 0;
  do {
    result = ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED);
  } while (result != 0 && errno == EINTR);
  check(result, [&] { return "wait for process " + std::to_string(pid_); });
  pid_ = 0;
  return exit_status_from(info);
}

std::optional<ExitStatus> Child::try_wait() {
  siginfo_t info{};
  check(::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG),
        [&] { return "wait for process " + std::to_string(pid_); });
  if (info.si_pid == 0) return std::nullopt;
  pid_ = 0;
  return exit_status_from(info);
}

namespace {

class SpawnActions {
 public:
  SpawnActions() { ::posix_spawn_file_actions_init(&actions_); }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;
  ~SpawnActions() { ::posix_spawn_file_actions_destroy(&actions_); }
  posix_spawn_file_actions_t* get() { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

class SpawnAttributes {
 public:
  explicit SpawnAttributes(bool new_session) {
    ::posix_spawnattr_init(&attributes_);
    sigset_t all;
    sigset_t none;
    ::sigfillset(&all);
    ::sigemptyset(&none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    const int flags =
        POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | (new_session ? POSIX_SPAWN_SETSID : 0);
    ::posix_spawnattr_setflags(&attributes_, static_cast<short>(flags));
  }
  SpawnAttributes(const SpawnAttributes&) = delete;
  SpawnAttributes& operator=(const SpawnAttributes&) = delete;
  ~SpawnAttributes() { ::posix_spawnattr_destroy(&attributes_); }
  posix_spawnattr_t* get() { return &attributes_; }

 private:
  posix_spawnattr_t attributes_;
};

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (const std::string& string : strings) result.push_back(const_cast<char*>(string.c_str()));
  result.push_back(nullptr);
  return result;
}

}  // namespace

Child spawn(const SpawnOptions& options) {
  SpawnActions actions;
  // A descriptor's number here may be a number there: all are first moved out of the way.
  std::vector<UniqueFd> parked;
  bool standard[3] = {};
  for (const auto& [here, there] : options.descriptors) {
    parked.emplace_back(check(::fcntl(here, F_DUPFD_CLOEXEC, 64),
                              [] { return std::string("duplicate a descriptor"); }));
    ::posix_spawn_file_actions_adddup2(actions.get(), parked.back().get(), there);
    if (there >= 0 && there < 3) standard[there] = true;
  }
  for (int fd = 0; fd < 3; ++fd)
    if (!standard[fd])
      ::posix_spawn_file_actions_addopen(actions.get(), fd, "/dev/null", O_RDWR, 0);

  SpawnAttributes attributes(options.new_session);
  const std::vector<char*> arguments = pointers(options.arguments);
  std::vector<char*> environment;
  if (options.environment) environment = pointers(*options.environment);
  pid_t pid = 0;
  const int failed =
      ::posix_spawn(&pid, options.executable.c_str(), actions.get(), attributes.get(),
                    arguments.data(), options.environment ? environment.data() : environ);
  if (failed != 0) throw Error(failed, "start '" + options.executable + "'");
  auto pidfd = Pidfd::open(pid);
  return Child(pid, pidfd ? std::move(*pidfd) : Pidfd());
}

std::string self_executable() {
  char buffer[PATH_MAX];
  const ssize_t n = check(::readlink("/proc/self/exe", buffer, sizeof buffer),
                          [] { return std::string("read /proc/self/exe"); });
  return std::string(buffer, static_cast<std::size_t>(n));
}

}  // namespace os
