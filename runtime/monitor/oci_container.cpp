#include "runtime/monitor/oci_container.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <utility>

#include "runtime/container/bundle.hpp"
#include "runtime/container/spec_json.hpp"
#include "runtime/monitor/console.hpp"
#include "runtime/monitor/hooks.hpp"
#include "runtime/os/channel.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/undo.hpp"

namespace monitor {

Streams own_streams() {
  Streams streams;
  for (int stream = 0; stream < 3; ++stream) {
    const int fd = ::fcntl(stream, F_DUPFD_CLOEXEC, 3);
    streams[static_cast<std::size_t>(stream)] =
        fd >= 0 ? os::UniqueFd(fd) : os::open_file("/dev/null", O_RDWR);
  }
  return streams;
}

void write_pid_file(const std::string& path, pid_t pid) {
  if (!path.empty()) os::write_file_atomic(path, std::to_string(pid), 0644);
}

OciContainer OciContainer::create(const std::string& root, const std::string& id,
                                  const OciCreateOptions& options) {
  if (!container::is_valid_container_id(id))
    throw os::Error(EINVAL, "use '" + id + "' as a container id");
  os::make_directories(root, 0711);
  OciContainer made(root + "/" + id);
  if (::mkdir(made.paths_.directory.c_str(), 0711) != 0)
    throw os::Error(errno, "make the container '" + id + "'");
  os::Undo undo;
  undo.add([&] { os::remove_tree(made.paths_.directory); });
  made.lock();
  made.make(id, options);
  undo.commit();
  made.lock_.reset();
  return made;
}

void OciContainer::make(const std::string& id, const OciCreateOptions& options) {
  CreateRequest request;
  request.id = id;
  request.bundle = std::filesystem::absolute(options.bundle).lexically_normal().string();
  // Read once: what is kept for later commands is what this container is made of.
  const std::string file = request.bundle + "/" + std::string(container::kConfigFile);
  const std::string text = os::read_file(file);
  request.spec = container::spec_from_json(container::parse_json(text, file));
  os::write_file_atomic(config(), text, 0600);
  const bool terminal = request.spec.process && request.spec.process->terminal;
  if (!terminal && !options.console_socket.empty())
    throw os::Error("--console-socket is given, but process.terminal is not set");
  if (!terminal) request.streams = own_streams();
  request.preserved = options.preserved;
  request.extensions = options.extensions;
  request.gate = os::listen_channel(gate());

  record_.id = id;
  record_.bundle = request.bundle;
  record_.boot_id = os::boot_id();
  record_.annotations = request.spec.annotations;
  container::write_state(paths_, record_);
  request.on_cgroup = [this](const container::Cgroup& groups) {
    record_.cgroups = groups.paths();  // whoever finds this unfinished can take them away
    container::write_state(paths_, record_);
  };
  CreatedContainer created = create_container(request);
  os::Undo undo;
  undo.add([&created] {
    created.init = os::Child();
    created.cgroup.kill_all();
    created.cgroup.wait_empty(std::chrono::seconds(2));
    created.cgroup.remove();
  });
  if (terminal && !options.console_socket.empty()) {
    send_to_console_socket(options.console_socket, created.terminal.get());
  } else {
    terminal_ = std::move(created.terminal);
  }
  record_.status = container::Status::created;
  record_.created_at = container::timestamp_now();
  record_.init = os::identify(created.init.pid());
  record_.cgroups = created.cgroup.paths();
  container::write_state(paths_, record_);
  write_pid_file(options.pid_file, created.init.pid());
  undo.commit();
  init_ = std::move(created.init);
}

OciContainer OciContainer::open(const std::string& root, const std::string& id) {
  if (!container::is_valid_container_id(id))
    throw os::Error(EINVAL, "use '" + id + "' as a container id");
  OciContainer container(root + "/" + id);
  container.read_record(id);
  return container;
}

void OciContainer::read_record(const std::string& id) {
  auto record = container::read_state(paths_);
  if (!record) throw os::Error("container '" + id + "' does not exist");
  record_ = std::move(*record);
}

void OciContainer::lock() {
  try {
    lock_.emplace(os::FileLock::acquire(paths_.directory + "/lock"));
  } catch (const os::Error& error) {
    if (error.code() != ENOENT) throw;
    throw os::Error("container '" + record_.id + "' does not exist");
  }
}

void OciContainer::lock_and_reread() {
  lock();
  read_record(record_.id);
}

bool OciContainer::clear_unfinished(const std::string& root, const std::string& id) {
  if (!container::is_valid_container_id(id))
    throw os::Error(EINVAL, "use '" + id + "' as a container id");
  OciContainer container(root + "/" + id);
  if (os::exists(container.paths_.record())) return false;
  if (!os::exists(container.paths_.directory)) return true;
  container.lock();  // its maker may only just have begun
  if (os::exists(container.paths_.record())) return false;
  os::remove_tree(container.paths_.directory);
  return true;
}

std::vector<std::string> OciContainer::list(const std::string& root) {
  std::vector<std::string> ids;
  for (const std::string& id : os::list_directory(root))
    if (container::is_valid_container_id(id) && os::exists(root + "/" + id + "/state.json"))
      ids.push_back(id);
  return ids;
}

container::State OciContainer::state() const {
  container::State state = record_;
  std::optional<os::Pidfd> init;
  if (state.init && state.boot_id == os::boot_id()) init = os::Pidfd::open(*state.init);
  if (!init || init->has_exited()) {
    if (state.status != container::Status::creating) state.status = container::Status::stopped;
  } else if (cgroup().frozen()) {
    state.status = container::Status::paused;
  }
  return state;
}

container::Spec OciContainer::spec() const {
  return container::spec_from_json(container::parse_json(os::read_file(config()), config()));
}

container::Cgroup OciContainer::cgroup() const {
  return container::Cgroup::open(container::CgroupLayout::detect(), record_.cgroups);
}

void OciContainer::start() {
  lock_and_reread();
  if (state().status != container::Status::created)
    throw os::Error("cannot start: the container is " +
                    std::string(container::status_name(state().status)));
  auto connection = os::connect_channel(gate());
  if (!connection) throw os::Error("cannot start: nobody waits at the gate");
  SyncChannel sync(std::move(*connection), false);
  for (const Signal past : {Signal::go, Signal::joined, Signal::apply, Signal::ready})
    sync.note(past);
  os::remove_tree(gate());  // nobody else is to knock
  sync.send(Signal::run);
  lock_.reset();  // a hook may take its time, and someone may want the container gone
  const auto answer = sync.receive(std::chrono::milliseconds(-1));
  if (answer) throw StageError(answer->failure);
  record_.status = container::Status::running;
  record_.started_at = container::timestamp_now();
  container::write_state(paths_, record_);
  try {
    run_hooks(spec().hooks.poststart, "poststart", oci_state(record_));
  } catch (...) {
    stop();
    throw;
  }
}

void OciContainer::kill(int signal, bool all) {
  const container::Status status = state().status;
  if (status == container::Status::stopped || status == container::Status::creating) {
    if (!all) throw os::Error("cannot kill: container not running");
  }
  if (all) {
    if (signal == SIGKILL) return cgroup().kill_all();
    return cgroup().signal_all(signal);
  }
  const auto init = os::Pidfd::open(*record_.init);
  if (!init || !init->send_signal(signal)) throw os::Error("cannot kill: container not running");
}

void OciContainer::pause() {
  if (state().status != container::Status::running && state().status != container::Status::created)
    throw os::Error("cannot pause: the container is not running");
  cgroup().freeze();
}

void OciContainer::resume() {
  if (state().status != container::Status::paused)
    throw os::Error("cannot resume: the container is not paused");
  cgroup().thaw();
}

void OciContainer::stop() {
  const container::Cgroup groups = cgroup();
  groups.kill_all();
  groups.wait_empty(std::chrono::seconds(10));
}

void OciContainer::remove(bool force) {
  if (!lock_) lock_and_reread();
  container::State now = state();
  // Its maker held the lock that we have now, so it is gone.
  if (now.status == container::Status::creating) now.status = container::Status::stopped;
  if (now.status != container::Status::stopped && !force)
    throw os::Error("cannot delete: the container is " +
                    std::string(container::status_name(now.status)));
  stop();
  cgroup().remove();
  if (os::exists(config())) remove_cgroup_parent();
  try {
    if (os::exists(config())) run_hooks(spec().hooks.poststop, "poststop", oci_state(now));
  } catch (const os::Error& error) {
    std::fprintf(stderr, "stack-runtime: warning: %s\n", error.what());
  }
  os::remove_tree(paths_.directory);
}

void OciContainer::remove_cgroup_parent() const {
  const std::string path = cgroup_path(spec(), record_.id);
  const auto slash = path.rfind('/');
  if (slash != 0)
    container::remove_cgroup_parent(container::CgroupLayout::detect(), path.substr(0, slash));
}

int OciContainer::wait() { return init_.wait().code; }

Launched OciContainer::exec(ExecRequest request) {
  const container::State now = state();
  if (now.status != container::Status::running)
    throw os::Error("cannot exec: the container is " +
                    std::string(container::status_name(now.status)));
  const auto init = os::Pidfd::open(*record_.init);
  if (!init) throw os::Error(ESRCH, "enter the container");
  const container::Cgroup groups = cgroup();
  request.init = record_.init->pid;
  request.pidfd = &*init;
  request.cgroup = &groups;
  return launch_exec(request);
}

}  // namespace monitor
