#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "orchestrator/cli/commands.hpp"
#include "orchestrator/cli/console.hpp"
#include "orchestrator/cli/container_view.hpp"
#include "orchestrator/cli/exec_streams.hpp"
#include "orchestrator/cli/monitor_client.hpp"
#include "orchestrator/cli/project.hpp"
#include "orchestrator/cli/terminal.hpp"
#include "orchestrator/translate.hpp"
#include "runtime/container/bundle.hpp"
#include "runtime/container/capability.hpp"
#include "runtime/container/spec_json.hpp"
#include "runtime/image/user.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/mount.hpp"

namespace cli {

namespace {

using Json = MonitorClient::Json;

struct ExecFlags {
  std::vector<std::string> words;  ///< service, program, arguments
  std::vector<std::string> environment;
  std::string user;
  std::string directory;
  int index = 0;
  bool detach = false;
  bool no_tty = false;
  bool interactive = true;
  bool tty = true;
  bool privileged = false;
};

void declare(CommandLine& line, ExecFlags& flags) {
  line.flag("-d,--detach", flags.detach, "Return at once; the program goes on by itself");
  line.list("-e,--env", flags.environment, "NAME=VALUE", "Set a variable");
  line.option("-u,--user", flags.user, "USER", "Run as this user (name or id, :group)");
  line.option("-w,--workdir", flags.directory, "DIR", "Run in this directory");
  line.option("--index", flags.index, "N", "Which container of the service");
  line.flag("-T,--no-tty,--no-TTY", flags.no_tty, "Give it no terminal");
  line.flag("--privileged", flags.privileged, "With all capabilities");
  line.flag("-i,--interactive", flags.interactive, "");
  line.flag("-t,--tty", flags.tty, "");
  line.command("SERVICE PROGRAM [ARGUMENT...]", flags.words, 2);
  line.example("stack exec web sh", "a shell inside");
  line.example("stack exec -T db pg_dump shop > dump.sql", "output into a file");
  line.example("stack exec -u root --index 2 web id", "as root in the second container");
}

/// A file of the container as it sees it, whatever links point where.
std::string read_inside(pid_t init, const char* path) {
  constexpr std::size_t kLimit = 4 * 1024 * 1024;
  try {
    const os::UniqueFd root =
        os::open_file("/proc/" + std::to_string(init) + "/root", O_PATH | O_DIRECTORY);
    const os::UniqueFd file = os::open_in_root(root.get(), path, O_RDONLY | O_NONBLOCK);
    return os::read_all(file.get(), kLimit, path);
  } catch (const os::Error& error) {
    if (error.code() == ENOENT || error.code() == ENOTDIR) return {};
    throw;
  }
}

void set_variable(std::vector<std::string>& environment, const std::string& name,
                  const std::string& value) {
  for (std::string& variable : environment)
    if (variable.starts_with(name + "=")) {
      variable = name + "=" + value;
      return;
    }
  environment.push_back(name + "=" + value);
}

/// The container's own process, with what the flags change.
container::Process make_process(const Invocation& invocation, const ContainerView& view,
                                const ExecFlags& flags, bool tty) {
  const container::Spec spec = container::read_bundle(
      orchestrator::ContainerLayout(invocation.paths, view.record.short_id()).bundle);
  container::Process process = spec.process.value_or(container::Process{});
  process.args.assign(flags.words.begin() + 1, flags.words.end());
  process.terminal = tty;
  if (!flags.directory.empty()) process.cwd = flags.directory;
  if (!flags.user.empty()) {
    if (!view.monitor || !view.monitor->init) throw os::Error("the container is just starting");
    const pid_t init = view.monitor->init->pid;
    const image::User user = image::resolve_user(flags.user, {}, read_inside(init, "/etc/passwd"),
                                                 read_inside(init, "/etc/group"));
    process.user.uid = user.uid;
    process.user.gid = user.gid;
    process.user.additional_gids = {user.groups.begin(), user.groups.end()};
    set_variable(process.env, "HOME", user.home);
  }
  if (flags.privileged) {
    const auto all = container::capability_names(container::own_capabilities());
    process.capabilities = container::Capabilities{
        .bounding = all, .effective = all, .inheritable = {}, .permitted = all, .ambient = {}};
  }
  if (tty) set_variable(process.env, "TERM", "xterm");
  for (const std::string& variable : flags.environment) {
    const auto equals = variable.find('=');
    const std::string name = variable.substr(0, equals);
    if (equals != std::string::npos) {
      set_variable(process.env, name, variable.substr(equals + 1));
    } else if (const auto own = invocation.environment.find(name);
               own != invocation.environment.end()) {
      set_variable(process.env, name, own->second);
    }
  }
  return process;
}

/// What became of the exec so far.
struct ExecEvent {
  std::optional<int> code;  ///< it has ended, or never began
  os::UniqueFd terminal;
  bool started = false;
};

ExecEvent receive(MonitorClient& monitor) {
  auto event = monitor.receive();
  if (!event) throw os::Error("the container has ended");
  ExecEvent result;
  if (event->name == "exec_started") {
    result.started = true;
    if (!event->fds.empty()) result.terminal = std::move(event->fds.front());
  } else if (event->name == "exec_failed") {
    print_error(event->data.value("message", "the program cannot be started"));
    result.code = event->data.value("exit_code", 126);
  } else if (event->name == "exec_exited") {
    result.code = event->data.value("code", 1);
  } else if (event->name == "error") {
    throw os::Error(event->data.value("message", "exec was refused"));
  }
  return result;
}

int wait_detached(MonitorClient& monitor) {
  for (;;) {
    const ExecEvent event = receive(monitor);
    if (event.code) return *event.code;
    if (event.started) return 0;
  }
}

int wait_without_terminal(MonitorClient& monitor, ExecStreams& streams) {
  Interrupts interrupts;
  for (;;) {
    const auto moving = streams.wake();
    std::array<pollfd, 5> fds{
        {{monitor.fd(), POLLIN, 0}, {interrupts.fd(), POLLIN, 0}, moving[0], moving[1], moving[2]}};
    ::poll(fds.data(), fds.size(), -1);
    if (interrupts.take()) return kInterrupted;  // the monitor ends what we leave behind
    streams.move();
    if (fds[0].revents == 0) continue;
    const ExecEvent event = receive(monitor);
    if (!event.code) continue;
    streams.move();
    return *event.code;
  }
}

/// Copies what the program has written; false when its side is closed.
bool copy_output(int terminal) {
  std::array<char, 32768> buffer;
  for (;;) {
    const ssize_t size = ::read(terminal, buffer.data(), buffer.size());
    if (size > 0)
      write_out({buffer.data(), static_cast<std::size_t>(size)});
    else if (size < 0 && errno == EAGAIN)
      return true;
    else if (size == 0 || errno != EINTR)
      return false;  // EIO: nobody has the other side open any more
  }
}

void copy_size(int terminal) {
  if (const auto size = terminal_size()) ::ioctl(terminal, TIOCSWINSZ, &*size);
}

int wait_with_terminal(MonitorClient& monitor) {
  Interrupts interrupts({SIGINT, SIGTERM, SIGHUP, SIGWINCH});
  ExecEvent first = receive(monitor);
  while (!first.code && !first.started) first = receive(monitor);
  if (first.code) return *first.code;
  const os::UniqueFd terminal = std::move(first.terminal);
  copy_size(terminal.get());
  const RawTerminal raw;
  InputPump pump(terminal.get());
  bool output_open = true;
  for (;;) {
    std::array<pollfd, 4> fds{{{monitor.fd(), POLLIN, 0},
                               {interrupts.fd(), POLLIN, 0},
                               pump.wake(),
                               {output_open ? terminal.get() : -1, POLLIN, 0}}};
    ::poll(fds.data(), fds.size(), -1);
    if (const auto signal = interrupts.take()) {
      if (*signal != SIGWINCH) return kInterrupted;
      copy_size(terminal.get());
    }
    if (fds[2].revents != 0) pump.move();
    if (fds[3].revents != 0) output_open = copy_output(terminal.get());
    if (fds[0].revents == 0) continue;
    const ExecEvent event = receive(monitor);
    if (!event.code) continue;
    copy_output(terminal.get());
    return *event.code;
  }
}

}  // namespace

int exec(Invocation& invocation) {
  ExecFlags flags;
  declare(invocation.line, flags);
  if (!invocation.line.parse()) return 0;
  require_root(invocation);
  const std::string& service = flags.words.front();
  const Project project = find_project(invocation, {service});
  const ContainerView view = choose_replica(invocation.paths, project.name, service, flags.index);
  const bool tty = flags.tty && !flags.no_tty && !flags.detach && ::isatty(STDIN_FILENO) == 1 &&
                   ::isatty(STDOUT_FILENO) == 1;
  const container::Process process = make_process(invocation, view, flags, tty);
  MonitorClient monitor(invocation.paths, view.record);
  const Json operation = {{"op", "exec"},
                          {"exec", orchestrator::make_container_id()},
                          {"process", container::process_to_json(process)},
                          {"tty", tty},
                          {"keep", flags.detach},
                          {"privileged", flags.privileged}};
  if (tty || flags.detach) {
    monitor.send(operation, {});
    return tty ? wait_with_terminal(monitor) : wait_detached(monitor);
  }
  ExecStreams streams(flags.interactive);
  monitor.send(operation, streams.descriptors());
  streams.hand_over();
  return wait_without_terminal(monitor, streams);
}

}  // namespace cli
