// RUN: a program in a container of its own, whose writes become a layer.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "runtime/build/run_mounts.hpp"
#include "runtime/build/steps.hpp"
#include "runtime/container/bundle.hpp"
#include "runtime/container/cgroup_layout.hpp"
#include "runtime/image/user.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"
#include "runtime/os/process.hpp"
#include "runtime/os/undo.hpp"

namespace build {

namespace {

constexpr const char* kHostname = "buildkitsandbox";
constexpr std::size_t kKeptOutput = 1024 * 1024;

/// The words of a command as Docker shows them when it failed.
std::string command_text(const RunStep& step) {
  std::string text;
  for (const std::string& word : step.arguments) text += (text.empty() ? "" : " ") + word;
  return text;
}

/// Cuts what a program writes into lines, shows them, and keeps the end.
class Output {
 public:
  Output(Progress& progress, std::size_t step) : progress_(progress), step_(step) {}

  void take(std::string_view data) {
    kept_ += data;
    if (kept_.size() > 2 * kKeptOutput) kept_.erase(0, kept_.size() - kKeptOutput);
    rest_ += data;
    std::size_t begin = 0;
    for (auto end = rest_.find('\n'); end != std::string::npos; end = rest_.find('\n', begin)) {
      progress_.line(step_, std::string_view(rest_).substr(begin, end - begin));
      begin = end + 1;
    }
    rest_.erase(0, begin);
    constexpr std::size_t kLongest = 64 * 1024;
    if (rest_.size() > kLongest) flush();
  }
  void flush() {
    if (!rest_.empty()) progress_.line(step_, rest_);
    rest_.clear();
  }
  std::string take_kept() { return std::move(kept_); }

 private:
  Progress& progress_;
  std::size_t step_;
  std::string rest_;
  std::string kept_;
};

class Run {
 public:
  Run(Session& session, const RunStep& step, Root& root, const StepPlace& place)
      : session_(session), step_(step), root_(root), place_(place) {
    if (step_.network == "default")
      network_ = session.options.network;
    else
      network_ = step_.network;
    check_entitlements();
  }

  StepOutcome run() {
    return cached_or_made(session_, root_, key(), place_,
                          [this](const Staging& staging) { execute(staging); });
  }

 private:
  void check_entitlements() const {
    const auto need = [&](const std::string& entitlement, const std::string& flag) {
      if (!session_.options.entitlements.contains(entitlement))
        throw os::Error(entitlement + " is not allowed: " + flag + " needs --allow " + entitlement);
    };
    if (step_.network == "host") need("network.host", "RUN --network=host");
    if (step_.security == "insecure") need("security.insecure", "RUN --security=insecure");
    if (!step_.devices.empty())
      throw os::Error("RUN --device is not supported: there is no CDI on this machine");
  }

  image::Digest key() {
    KeyBuilder key;
    key.add("run 1").add(root_.chain().hex());
    key.add(step_.arguments.size());
    for (const std::string& word : step_.arguments) key.add(word);
    key.add(step_.script);
    key.add(step_.environment.size());
    for (const std::string& variable : step_.environment) key.add(variable);
    key.add(step_.user).add(step_.directory).add(network_).add(step_.security);
    key.add(session_.options.shm_size.value_or(0));
    for (const container::Rlimit& limit : session_.options.limits)
      key.add(limit.type).add(limit.soft).add(limit.hard);
    // Of extra hosts the names count; their addresses change with every network.
    for (const auto& [name, address] : session_.options.extra_hosts) key.add("host").add(name);
    if (const auto epoch = session_.options.source_date_epoch)
      key.add(static_cast<std::uint64_t>(*epoch));
    add_mounts_to_key(session_, step_, place_, key);
    return key.finish();
  }

  void execute(const Staging& staging) {
    id_ = session_.id + "-" + std::to_string(place_.progress);
    directory_ = session_.run + "/" + std::to_string(place_.progress);
    os::make_directories(directory_, 0700);
    os::Undo undo;
    undo.add([this] { os::remove_tree(directory_); });
    const bool own_network = network_ == "default";
    StepNetwork network;
    if (own_network && session_.options.networks != nullptr) {
      network = session_.options.networks->join(id_);
      undo.add([this] { session_.options.networks->leave(id_); });
    }
    container::Spec spec = make_spec(staging, network);
    container::write_bundle(directory_, spec);
    start_and_wait();
  }

  container::Spec make_spec(const Staging& staging, const StepNetwork& network) {
    container::DefaultSpecOptions options;
    options.unified_cgroup = container::CgroupLayout::detect().unified_only();
    options.privileged = step_.security == "insecure";
    options.host_network = network_ == "host";
    if (session_.options.shm_size) options.shm_size = *session_.options.shm_size;
    container::Spec spec = container::default_spec(options);
    spec.hostname = kHostname;
    spec.linux.cgroups_path = step_cgroup(id_);
    set_process(spec);
    if (!network.namespace_path.empty())
      for (container::Namespace& each : spec.linux.namespaces)
        if (each.type == container::NamespaceType::network) each.path = network.namespace_path;
    prepared_ = prepare_mounts(session_, step_, place_, directory_);
    for (const std::string& variable : prepared_.environment) set_variable(spec, variable);
    add_etc_files(spec, network);
    for (const container::Mount& mount : prepared_.mounts) spec.mounts.push_back(mount);
    set_root(staging, spec);
    return spec;
  }

  static void set_variable(container::Spec& spec, const std::string& variable) {
    const std::string prefix = variable.substr(0, variable.find('=') + 1);
    std::erase_if(spec.process->env,
                  [&](const std::string& each) { return each.starts_with(prefix); });
    spec.process->env.push_back(variable);
  }

  void set_process(container::Spec& spec) {
    if (!spec.process) spec.process.emplace();
    container::Process& process = *spec.process;
    const image::LayerStack stack(session_.workspace.directories(root_));
    constexpr std::size_t kLimit = 4 * 1024 * 1024;
    const image::User user =
        image::resolve_user(step_.user, {}, stack.read_file("/etc/passwd", kLimit).value_or(""),
                            stack.read_file("/etc/group", kLimit).value_or(""));
    process.args = step_.arguments;
    process.env = step_.hidden;
    for (const std::string& variable : step_.environment) set_variable(spec, variable);
    const bool has_home =
        std::any_of(process.env.begin(), process.env.end(),
                    [](const std::string& each) { return each.starts_with("HOME="); });
    if (!has_home) process.env.push_back("HOME=" + user.home);
    process.cwd = step_.directory;
    process.user.uid = user.uid;
    process.user.gid = user.gid;
    process.user.umask = 022;
    process.user.additional_gids = {user.groups.begin(), user.groups.end()};
    process.rlimits = session_.options.limits;
    if (process.args.empty()) throw os::Error("RUN has no command");
  }

  void add_etc_files(container::Spec& spec, const StepNetwork& network) {
    std::string hosts = "127.0.0.1\tlocalhost " + std::string(kHostname) +
                        "\n::1\tlocalhost ip6-localhost ip6-loopback\n";
    for (const auto& [name, address] : session_.options.extra_hosts)
      hosts += (address == "host-gateway" ? network.host_gateway : address) + "\t" + name + "\n";
    std::string resolv_conf = network.resolv_conf;
    if (network_ == "host") resolv_conf = os::read_file_if_exists("/etc/resolv.conf").value_or("");
    for (const auto& [name, text] : {std::pair{std::string("hosts"), hosts},
                                     std::pair{std::string("resolv.conf"), resolv_conf}}) {
      const std::string path = directory_ + "/" + name;
      os::write_file_atomic(path, text, 0644);
      os::check(::chmod(path.c_str(), 0644), [&] { return "set the mode of '" + path + "'"; });
      spec.mounts.push_back({.destination = "/etc/" + name,
                             .type = "bind",
                             .source = path,
                             .options = {"bind", "ro"}});
      prepared_.points.push_back({"/etc/" + name, false});
    }
  }

  void set_root(const Staging& staging, container::Spec& spec) {
    std::vector<std::string> lower = session_.workspace.directories(root_);
    // An image that is made from nothing gets these for good, as with Docker.
    make_mount_points(staging.upper, lower, {{"/proc", true}, {"/dev", true}, {"/sys", true}});
    const Staging places = session_.workspace.stage(root_);
    make_mount_points(places.upper, lower, prepared_.points);
    lower.insert(lower.begin(), places.upper);
    const std::string rootfs = directory_ + "/rootfs";
    os::make_directories(rootfs, 0700);
    spec.root = container::Root{.path = rootfs, .readonly = false};
    spec.annotations["stack.rootfs"] = nlohmann::json{
        {"lower", lower},
        {"upper", staging.upper},
        {"work", staging.work},
        {"volatile", true}}.dump();
  }

  std::vector<std::string> runtime_command(const std::vector<std::string>& words) const {
    std::vector<std::string> command{"stack-runtime", "--root", session_.run + "/state"};
    command.insert(command.end(), words.begin(), words.end());
    return command;
  }

  void start_and_wait() {
    os::Pipe pipe = os::make_pipe();
    os::SpawnOptions options{
        .executable = session_.runtime().executable(),
        .arguments = runtime_command({"run", "--stack-annotations", "--parent",
                                      std::to_string(::getpid()), "--bundle", directory_, id_}),
        .environment = session_.runtime().environment(),
        .descriptors = {{pipe.write.get(), STDOUT_FILENO}, {pipe.write.get(), STDERR_FILENO}},
        .new_session = true};
    os::Child child = os::spawn(options);
    pipe.write.reset();
    const Cancel::OnRequest stop(session_.cancel, [this] { stop_container(); });
    Output output(session_.progress, place_.progress);
    char buffer[65536];
    for (;;) {
      pollfd entry{.fd = pipe.read.get(), .events = POLLIN, .revents = 0};
      if (::poll(&entry, 1, 200) == 0) {
        // It may have been too early for the first try.
        if (session_.cancel.requested()) stop_container();
        continue;
      }
      const ssize_t n = ::read(pipe.read.get(), buffer, sizeof buffer);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) break;
      output.take({buffer, static_cast<std::size_t>(n)});
    }
    output.flush();
    const os::ExitStatus status = child.wait();
    session_.cancel.check();
    if (status.code != 0)
      throw ProgramFailed(
          "process \"" + command_text(step_) +
              "\" did not complete successfully: exit code: " + std::to_string(status.code),
          output.take_kept());
  }

  /// Kills the container; the runtime that waits for it then cleans up and ends.
  void stop_container() const {
    os::SpawnOptions options{.executable = session_.runtime().executable(),
                             .arguments = runtime_command({"kill", "--all", id_, "KILL"}),
                             .environment = session_.runtime().environment()};
    os::spawn(options).wait();
  }

  Session& session_;
  const RunStep& step_;
  Root& root_;
  const StepPlace& place_;
  std::string network_;
  std::string id_;
  std::string directory_;
  PreparedMounts prepared_;
};

}  // namespace

StepOutcome perform_run(Session& session, const RunStep& step, Root& root, const StepPlace& place) {
  return Run(session, step, root, place).run();
}

}  // namespace build
