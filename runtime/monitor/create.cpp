#include "runtime/monitor/create.hpp"

#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>

#include <utility>

#include "runtime/container/bundle.hpp"
#include "runtime/monitor/hooks.hpp"
#include "runtime/monitor/idmap.hpp"
#include "runtime/monitor/mounts.hpp"
#include "runtime/monitor/rootfs.hpp"
#include "runtime/monitor/seal.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/namespace.hpp"
#include "runtime/os/undo.hpp"

namespace monitor {

std::vector<std::string> unsupported(const container::Spec& spec) {
  std::vector<std::string> mistakes = spec.linux.unsupported;
  const container::Namespace* mount = spec.linux.find_namespace(container::NamespaceType::mount);
  if (mount == nullptr) mistakes.emplace_back("linux.namespaces: a mount namespace is needed");
  if (!spec.root) mistakes.emplace_back("root: is missing");
  if (!spec.process) mistakes.emplace_back("process: is missing");
  const container::Namespace* user = spec.linux.find_namespace(container::NamespaceType::user);
  if (user == nullptr || !user->path.empty()) return mistakes;
  if (spec.linux.uid_mappings.empty() || spec.linux.gid_mappings.empty())
    mistakes.emplace_back("linux.uidMappings: a new user namespace needs uid and gid mappings");
  for (const container::Namespace& other : spec.linux.namespaces)
    if (!other.path.empty())
      mistakes.push_back("linux.namespaces: joining a " +
                         std::string(container::namespace_name(other.type)) +
                         " namespace from a new user namespace is not possible");
  return mistakes;
}

std::string cgroup_path(const container::Spec& spec, const std::string& id) {
  if (spec.linux.cgroups_path.empty()) return "/stack/" + id;
  const std::string& path = spec.linux.cgroups_path;
  return path.front() == '/' ? path : "/" + path;
}

namespace {

JoinedNamespace open_namespace(const container::Namespace& wanted) {
  JoinedNamespace join{wanted.type, os::open_namespace(wanted.path)};
  const int type = os::check(::ioctl(join.fd.get(), NS_GET_NSTYPE),
                             [&] { return "use '" + wanted.path + "' as a namespace"; });
  if (static_cast<std::uint64_t>(type) != container::namespace_clone_flag(wanted.type))
    throw os::Error(EINVAL, "use '" + wanted.path + "' as a " +
                                std::string(container::namespace_name(wanted.type)) + " namespace");
  return join;
}

/// A namespace given by its path may be our own, which is the host's: what is set in it would be
/// set for the host.
void require_not_ours(const container::Spec& spec, const JoinedNamespace& join) {
  using enum container::NamespaceType;
  const std::string name(container::namespace_proc_name(join.type));
  const os::UniqueFd ours = os::open_namespace("/proc/self/ns/" + name);
  if (file_identity(ours.get()) != file_identity(join.fd.get())) return;
  const auto refuse = [&](const std::string& what) {
    throw os::Error(EPERM, "set " + what + " in the host's own " + name + " namespace");
  };
  if (join.type == mount) refuse("up a root file system");
  if (join.type == uts && !spec.hostname.empty()) refuse("the hostname");
  if (join.type == uts && !spec.domainname.empty()) refuse("the domain name");
  for (const auto& [key, value] : spec.linux.sysctl) {
    const bool of_network = key.starts_with("net");
    const bool of_uts = key == "kernel.domainname" || key == "kernel/domainname";
    if ((of_network && join.type == network) || (of_uts && join.type == uts) ||
        (!of_network && !of_uts && join.type == ipc))
      refuse("sysctl " + key);
  }
}

void choose_namespaces(const container::Spec& spec, Launch& launch) {
  for (const container::Namespace& wanted : spec.linux.namespaces) {
    if (!wanted.path.empty()) {
      launch.joins.push_back(open_namespace(wanted));
      require_not_ours(spec, launch.joins.back());
    } else if (wanted.type == container::NamespaceType::cgroup) {
      launch.new_cgroup_namespace = true;
    } else if (wanted.type == container::NamespaceType::time) {
      launch.new_time_namespace = true;
      launch.time_offsets = spec.linux.time_offsets;
    } else {
      launch.clone_flags |= container::namespace_clone_flag(wanted.type);
    }
  }
  // A time namespace takes one more fork, and the first process of a pid namespace cannot have it
  // made beside itself: both are made together, for the process that comes of that fork.
  if (launch.new_time_namespace && (launch.clone_flags & CLONE_NEWPID) != 0) {
    launch.clone_flags &= ~std::uint64_t{CLONE_NEWPID};
    launch.new_pid_namespace = true;
  }
}

class Creator {
 public:
  explicit Creator(CreateRequest& request) : request_(request) {}

  CreatedContainer run() {
    try {
      validate();
      make_cgroup();
      prepare();
      Launched launched = launch(launch_, observer());
      undo_.commit();
      return {std::move(launched.child), std::move(launched.sync),   std::move(launched.terminal),
              std::move(*cgroup_),       std::move(launch_.program), std::move(warnings_)};
    } catch (...) {
      Failure failure = current_failure(stage_);
      explain_memory(failure);
      throw StageError(failure);
    }
  }

 private:
  const container::Spec& spec() const { return request_.spec; }

  /// The value of one of our own annotations; empty where there is none or it does not count.
  std::string extension(std::string_view name) const {
    const auto found = spec().annotations.find(std::string(name));
    return request_.extensions && found != spec().annotations.end() ? found->second : std::string();
  }

  void validate() {
    stage_ = Stage::validate;
    std::vector<std::string> mistakes = container::validate(spec());
    for (std::string& mistake : unsupported(spec())) mistakes.push_back(std::move(mistake));
    if (mistakes.empty()) return;
    std::string text = "config.json: " + mistakes.front();
    for (std::size_t i = 1; i < mistakes.size(); ++i) text += "; " + mistakes[i];
    throw os::Error(text);
  }

  void make_cgroup() {
    stage_ = Stage::cgroup;
    layout_ = container::CgroupLayout::detect();
    cgroup_ = container::Cgroup::create(*layout_, cgroup_path(spec(), request_.id));
    undo_.add([this] {
      cgroup_->kill_all();
      cgroup_->wait_empty(std::chrono::seconds(2));
      cgroup_->remove();
      const std::string path = cgroup_path(spec(), request_.id);
      container::remove_cgroup_parent(*layout_, path.substr(0, path.rfind('/')));
    });
    if (request_.on_cgroup) request_.on_cgroup(*cgroup_);
    stage_ = Stage::limits;
    container::Resources resources = spec().linux.resources;
    resources.devices = container::complete_device_rules(std::move(resources.devices));
    warnings_ = cgroup_->set_limits(resources);
  }

  void prepare() {
    stage_ = Stage::join_namespace;
    choose_namespaces(spec(), launch_);
    stage_ = Stage::seccomp;
    launch_.program = make_program(*spec().process, spec().linux.seccomp);
    launch_.program.personality = spec().linux.personality;
    launch_.program.below_init_helper = extension(kInitAnnotation) == "true";
    stage_ = Stage::rootfs;
    launch_.root_path = root_path(spec(), request_.bundle);
    launch_.root = open_root(launch_.root_path, extension(kRootAnnotation));
    stage_ = Stage::mount;
    plan_mounts();
    launch_.hooks = spec().hooks;
    launch_.hook_state = hook_state();
    launch_.streams = std::move(request_.streams);
    launch_.gate = std::move(request_.gate);
    launch_.preserved = request_.preserved;
    launch_.cgroup = cgroup_->unified_directory();
    launch_.cgroup_entrances = cgroup_->entrances();
  }

  void plan_mounts() {
    PlanInput input;
    input.hierarchies = &layout_->hierarchies();
    input.cgroups = cgroup_->paths();
    if (launch_.program.below_init_helper) input.init_binary = init_helper_path();
    input.subpaths = parse_subpaths(extension(kSubpathsAnnotation));
    launch_.plan = plan_steps(spec(), input);
    launch_.sources.resize(launch_.plan.size());
    for (std::size_t i = 0; i < launch_.plan.size(); ++i) {
      const auto* mount = std::get_if<MountStep>(&launch_.plan[i]);
      if (mount == nullptr) continue;
      try {
        launch_.sources[i] = open_source(*mount, request_.bundle);
      } catch (const os::Error& error) {
        throw error.in("mount '" + mount->source + "' on '" + mount->destination + "'");
      }
    }
  }

  LaunchObserver observer() {
    LaunchObserver observer;
    observer.cloned = [this](pid_t pid) {
      stage_ = Stage::clone;
      // The network can be made ready while the rest goes on.
      if (!launch_.forks_again() && request_.on_namespaces) request_.on_namespaces(pid);
      if ((launch_.clone_flags & CLONE_NEWUSER) != 0)
        write_id_maps(pid, spec().linux.uid_mappings, spec().linux.gid_mappings);
      set_oom_score(pid, *spec().process);
      if (launch_.in_foreign_user_namespace()) set_resource_limits(pid, spec().process->rlimits);
    };
    observer.joined = [this](pid_t pid) {
      if (launch_.forks_again() && request_.on_namespaces) request_.on_namespaces(pid);
      container::State told = hook_state();
      told.init = os::ProcessIdentity{.pid = pid, .start_time = 0};
      const std::string state = oci_state(told);
      run_hooks(spec().hooks.prestart, "prestart", state);
      run_hooks(spec().hooks.create_runtime, "createRuntime", state);
    };
    return observer;
  }

  container::State hook_state() const {
    container::State state;
    state.id = request_.id;
    state.bundle = request_.bundle;
    state.status = container::Status::creating;
    state.annotations = spec().annotations;
    return state;
  }

  /// A memory limit too low for the set-up shows as a death or an odd failure of the child.
  void explain_memory(Failure& failure) const {
    if (cgroup_ && cgroup_->oom_kills() > 0)
      failure.message += "; the memory limit is too low for the container to start";
  }

  CreateRequest& request_;
  std::optional<container::CgroupLayout> layout_;
  std::optional<container::Cgroup> cgroup_;
  Launch launch_;
  std::vector<std::string> warnings_;
  Stage stage_ = Stage::validate;
  os::Undo undo_;
};

}  // namespace

CreatedContainer create_container(CreateRequest& request) { return Creator(request).run(); }

}  // namespace monitor
