#include "monitor_client.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <sstream>

#include "runtime/container/bundle.hpp"
#include "runtime/os/channel.hpp"
#include "runtime/os/error.hpp"

namespace monitor_test {

std::vector<std::string> shell(const std::string& script) { return {"/bin/sh", "-c", script}; }

nlohmann::json process(std::vector<std::string> arguments) {
  return {{"args", std::move(arguments)}, {"cwd", "/"}, {"env", {"PATH=/bin"}}};
}

const std::string& busybox_root() {
  static const os::TempDir directory("/tmp", "monitor-root-");
  static const bool made = [] {
    const std::string root = directory.path();
    ::chmod(root.c_str(), 0755);
    for (const char* name : {"bin", "etc", "proc", "sys", "dev", "tmp", "root"})
      ::mkdir((root + "/" + name).c_str(), 0755);
    std::filesystem::copy_file("/bin/busybox", root + "/bin/busybox");
    for (const char* applet :
         {"sh",       "cat",   "echo",  "grep",   "id",     "ls",  "mount", "ps",   "pwd",
          "readlink", "sleep", "stty",  "touch",  "true",   "tty", "dd",    "head", "wc",
          "hostname", "test",  "mknod", "umount", "printf", "yes", "seq"})
      std::filesystem::create_symlink("busybox", root + "/bin/" + applet);
    os::write_file_atomic(root + "/etc/passwd", "root:x:0:0::/root:/bin/sh\n", 0644);
    return true;
  }();
  static_cast<void>(made);
  return directory.path();
}

Bundle::Bundle(std::vector<std::string> arguments,
               const std::function<void(container::Spec&)>& edit)
    : directory_("/tmp", "monitor-bundle-") {
  id_ = directory_.path().substr(directory_.path().rfind('/') + 1);
  container::Spec spec = container::default_spec();
  spec.process->args = std::move(arguments);
  spec.root->path = busybox_root();
  spec.hostname = "box";
  spec.linux.cgroups_path = "/stack-test-" + id_ + "/" + id_;
  if (edit) edit(spec);
  container::write_bundle(directory_.path(), spec);
}

std::string Bundle::cgroup(const std::string& hierarchy) const {
  return "/sys/fs/cgroup/" + hierarchy + "/stack-test-" + id_;
}

MonitorClient::MonitorClient(const Bundle& bundle, const std::vector<std::string>& options)
    : directory_("/tmp", "monitor-state-"), state_(directory_.path() + "/state") {
  os::make_directories(state_);
  auto [ours, theirs] = os::make_channel();
  os::SpawnOptions spawn;
  // The one built with the tests, or another that is to be tested.
  const char* other = std::getenv("STACK_TEST_RUNTIME");
  spawn.executable = other != nullptr ? other : STACK_RUNTIME;
  spawn.arguments = {spawn.executable, "monitor", "--id", bundle.id(), "--bundle",
                     bundle.path(),    "--state", state_, "--log",     directory_.path() + "/log"};
  spawn.arguments.insert(spawn.arguments.end(), options.begin(), options.end());
  spawn.descriptors = {{theirs.get(), 3}, {2, 2}};
  spawn.new_session = true;
  process_ = os::spawn(spawn);
  socket_ = std::move(ours);
}

MonitorClient::~MonitorClient() {
  if (!process_) return;
  try {
    reconnect();
    send({{"op", "kill"}, {"signal", 9}, {"all", true}});
    wait_for(std::vector<std::string>{"exited", "error"});
    release();
  } catch (const std::exception&) {
    // The monitor is killed with its Child; the test has failed already.
  }
}

void MonitorClient::send(const nlohmann::json& request, const std::vector<int>& fds) {
  os::send_message(socket_.get(), request.dump(), fds);
}

Event MonitorClient::wait_for(const std::vector<std::string>& names) {
  constexpr int kTimeout = 20'000;
  for (;;) {
    pollfd entry{.fd = socket_.get(), .events = POLLIN, .revents = 0};
    if (::poll(&entry, 1, kTimeout) <= 0) throw os::Error(ETIMEDOUT, "wait for " + names.front());
    auto message = os::receive_message(socket_.get());
    if (!message) throw os::Error(EPIPE, "wait for " + names.front());
    Event event{nlohmann::json::parse(message->data), std::move(message->fds)};
    seen_.push_back(event.name());
    if (std::find(names.begin(), names.end(), event.name()) != names.end()) return event;
  }
}

Event MonitorClient::start() {
  Event created = wait_for(std::vector<std::string>{"created", "failed"});
  if (created.name() == "failed") return created;
  send({{"op", "start"}});
  return wait_for(std::vector<std::string>{"started", "failed"});
}

std::string MonitorClient::output() {
  const Event started = start();
  if (started.name() == "failed") return started.json.dump();
  wait_for("exited");
  std::istringstream lines(log());
  std::string text;
  for (std::string line; std::getline(lines, line);) {
    std::size_t at = 0;
    for (int blanks = 0; blanks < 3; ++blanks) at = line.find(' ', at) + 1;
    text += line.substr(at) + "\n";
  }
  return text;
}

std::string MonitorClient::log() const {
  return os::read_file_if_exists(directory_.path() + "/log").value_or("");
}

nlohmann::json MonitorClient::record() const {
  return nlohmann::json::parse(os::read_file(state_ + "/state.json"));
}

std::string MonitorClient::exec(const nlohmann::json& process, int& code) {
  os::Pipe pipe = os::make_pipe();
  const os::UniqueFd null = os::open_file("/dev/null", O_RDWR);
  send({{"op", "exec"}, {"exec", "one"}, {"process", process}},
       {null.get(), pipe.write.get(), pipe.write.get()});
  pipe.write.reset();
  const Event event = wait_for(std::vector<std::string>{"exec_exited", "exec_failed"});
  code = event.name() == "exec_exited" ? event.json.at("code").get<int>()
                                       : event.json.at("exit_code").get<int>();
  return os::read_all(pipe.read.get(), os::kSmallFile, "pipe");
}

bool MonitorClient::release() {
  send({{"op", "release"}, {"seq", 1}});
  const Event answer = wait_for(std::vector<std::string>{"ok", "error"});
  if (answer.name() != "ok") return false;
  return process_.wait().code == 0 && os::list_directory(state_).empty();
}

void MonitorClient::reconnect() {
  auto socket = os::connect_channel(state_ + "/monitor.sock");
  if (!socket) throw os::Error("nobody listens at the monitor's socket");
  socket_ = std::move(*socket);
  send({{"op", "subscribe"}});
  wait_for("state");
}

}  // namespace monitor_test
