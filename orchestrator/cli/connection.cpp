#include "orchestrator/cli/connection.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <chrono>

#include "runtime/container/cgroup_layout.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"
#include "runtime/os/process.hpp"

namespace cli {

namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kPatience = std::chrono::seconds(5);
constexpr std::size_t kMostStderr = 64 * 1024;

/// What a supervisor that was started says on its standard error until it takes requests or ends.
std::string wait_until_ready(int ready, int errors) {
  std::string said;
  std::array<char, 4096> buffer;
  bool speaking = true;
  for (;;) {
    std::array<pollfd, 2> fds{{{ready, POLLIN, 0}, {speaking ? errors : -1, POLLIN, 0}}};
    if (::poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR)
      throw os::Error(errno, "wait for the supervisor");
    if (fds[1].revents != 0) {
      const ssize_t size = ::read(errors, buffer.data(), buffer.size());
      if (size > 0 && said.size() < kMostStderr)
        said.append(buffer.data(), static_cast<std::size_t>(size));
      speaking = size > 0;
      continue;
    }
    if (fds[0].revents != 0) return said;
  }
}

constexpr const char* kSystemdRun = "/usr/bin/systemd-run";

/// Where systemd rules the control groups, a supervisor and all that it starts live in a scope that
/// is delegated to it. `systemd-run` makes the scope and becomes the supervisor.
void choose_program(os::SpawnOptions& options, const std::string& project, bool in_scope) {
  options.executable = os::self_executable();
  options.arguments = {"stack", "supervise", project};
  if (!in_scope) return;
  options.arguments.front() = options.executable;
  options.executable = kSystemdRun;
  const std::vector<std::string> scope = {
      "systemd-run",
      "--scope",
      "--quiet",
      "--collect",
      "--property=Delegate=yes",
      "--unit=stack-" + project + "-" + std::to_string(::getpid()),
      "--description=stack " + project,
      "--"};
  options.arguments.insert(options.arguments.begin(), scope.begin(), scope.end());
}

bool wants_scope() {
  return os::exists(kSystemdRun) && container::CgroupLayout::detect().wants_delegation();
}

/// Starts a supervisor and returns when it takes requests, or has seen that another one does.
void start_supervisor(const std::string& project, bool in_scope) {
  os::Pipe ready = os::make_pipe();
  os::Pipe errors = os::make_pipe();
  os::SpawnOptions options;
  choose_program(options, project, in_scope);
  options.descriptors = {{errors.write.get(), STDERR_FILENO}, {ready.write.get(), 3}};
  options.new_session = true;
  os::Child supervisor = os::spawn(options);
  ready.write.reset();
  errors.write.reset();
  std::string said = wait_until_ready(ready.read.get(), errors.read.get());
  // The end of the ready pipe means that it takes requests, or that it has ended: then its standard
  // error has ended too and there is something to reap.
  std::array<pollfd, 1> ended{{{supervisor.pidfd().get(), POLLIN, 0}}};
  if (::poll(ended.data(), ended.size(), 0) > 0) {
    const os::ExitStatus status = supervisor.wait();
    if (status.code == 0) return;
    if (in_scope) return start_supervisor(project, false);  // systemd may not answer
    while (!said.empty() && said.back() == '\n') said.pop_back();
    throw os::Error("the supervisor of project \"" + project + "\" could not start (code " +
                    std::to_string(status.code) + ")" + (said.empty() ? "" : ":\n" + said));
  }
  supervisor.release();
}

}  // namespace

std::optional<Connection> Connection::connect(const orchestrator::Paths& paths,
                                              const std::string& project) {
  const std::string path = paths.supervisor_socket(project);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    throw os::Error(ENAMETOOLONG, "connect to '" + path + "'");
  path.copy(address.sun_path, path.size());
  os::UniqueFd socket(os::check(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
                                [] { return std::string("make a socket"); }));
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  if (::connect(socket.get(), generic, sizeof address) == 0) return Connection(std::move(socket));
  if (errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR) return std::nullopt;
  throw os::Error(errno, "connect to '" + path + "'");
}

Connection Connection::open(const orchestrator::Paths& paths, const std::string& project) {
  const auto deadline = Clock::now() + kPatience;
  for (int pause = 5;; pause = std::min(2 * pause, 100)) {
    if (auto connection = connect(paths, project)) return std::move(*connection);
    start_supervisor(project, wants_scope());
    if (auto connection = connect(paths, project)) return std::move(*connection);
    if (Clock::now() > deadline)
      throw os::Error("the supervisor of project \"" + project + "\" takes no requests");
    ::poll(nullptr, 0, pause);  // an earlier one holds the lock until it has ended
  }
}

bool Connection::send(const std::string& operation, const Json& arguments) {
  const Json request = {{"op", operation}, {"arguments", arguments}};
  const std::string line = request.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  if (line.size() > orchestrator::protocol::kMaxLine)
    throw os::Error(EMSGSIZE, "send the request '" + operation + "'");
  try {
    os::write_all(socket_.get(), line, "the supervisor's socket");
  } catch (const os::Error& error) {
    if (error.code() != EPIPE && error.code() != ECONNRESET) throw;
    return false;
  }
  return true;
}

bool Connection::receive() {
  std::array<char, 65536> buffer;
  const ssize_t size = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (size == 0) return false;
  if (size < 0) {
    if (errno == EAGAIN || errno == EINTR) return true;
    if (errno == ECONNRESET) return false;
    throw os::Error(errno, "read from the supervisor");
  }
  buffer_.append(buffer.data(), static_cast<std::size_t>(size));
  if (buffer_.size() > orchestrator::protocol::kMaxLine)
    throw os::Error(EMSGSIZE, "read an event of the supervisor");
  return true;
}

std::optional<Connection::Json> Connection::next() {
  const auto end = buffer_.find('\n');
  if (end == std::string::npos) return std::nullopt;
  Json event = Json::parse(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(end),
                           nullptr, false);
  buffer_.erase(0, end + 1);
  if (!event.is_object()) throw os::Error("the supervisor said what is no event");
  return event;
}

void Connection::leave() { ::shutdown(socket_.get(), SHUT_WR); }

}  // namespace cli
