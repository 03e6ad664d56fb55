#include "orchestrator/translate.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "orchestrator/effective.hpp"
#include "orchestrator/translate_parts.hpp"
#include "runtime/container/bundle.hpp"
#include "runtime/image/layer_stack.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace orchestrator {

void ContainerLayout::make() const {
  for (const std::string& directory : {upper, work, rootfs, files})
    os::make_directories(directory, 0700);
}

std::string hostname_of(const manifests::Service& service, const ContainerRecord& record) {
  if (!service.hostname.empty()) return service.hostname;
  if (service.network_mode != "host" && service.uts != "host") return record.short_id();
  char name[256];
  os::check(::gethostname(name, sizeof name), [] { return std::string("read the host name"); });
  return name;
}

namespace {

/// With another container's network comes its name.
std::string hostname(const ContainerInput& input) {
  if (input.shared_files.empty() || !input.service->hostname.empty())
    return hostname_of(*input.service, *input.record);
  std::string name = os::read_file(input.shared_files + "/hostname");
  while (!name.empty() && name.back() == '\n') name.pop_back();
  return name;
}

/// Whom the process runs as, by the container's own passwd and group files.
image::User find_user(const ContainerInput& input) {
  std::vector<std::string> directories{input.layout.upper};
  directories.insert(directories.end(), input.layers.begin(), input.layers.end());
  const image::LayerStack root(directories);
  constexpr std::size_t kLimit = 4 * 1024 * 1024;
  const std::string& wanted = input.service->user.empty() ? input.image.user : input.service->user;
  return image::resolve_user(wanted, input.service->group_add,
                             root.read_file("/etc/passwd", kLimit).value_or(""),
                             root.read_file("/etc/group", kLimit).value_or(""));
}

container::Spec make_default(const ContainerInput& input) {
  const manifests::Service& service = *input.service;
  container::DefaultSpecOptions options;
  options.unified_cgroup = input.unified_cgroup && service.cgroup != "host";
  options.privileged = service.privileged;
  options.readonly_root = service.read_only;
  options.cap_add = service.cap_add;
  options.cap_drop = service.cap_drop;
  options.host_network = service.network_mode == "host";
  if (service.shm_size) options.shm_size = static_cast<std::uint64_t>(service.shm_size.value);
  return container::default_spec(options);
}

void set_rlimits(const manifests::Service& service, container::Process& process) {
  for (const auto& [name, limit] : service.ulimits) {
    std::string type = "RLIMIT_" + name;
    std::transform(type.begin(), type.end(), type.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    if (!container::rlimit_number(type)) throw os::Error("unknown ulimit '" + name + "'");
    process.rlimits.push_back({.type = type,
                               .soft = static_cast<std::uint64_t>(limit.soft_limit()),
                               .hard = static_cast<std::uint64_t>(limit.hard_limit())});
  }
}

void set_process(const ContainerInput& input, container::Spec& spec) {
  const manifests::Service& service = *input.service;
  const image::User user = find_user(input);
  container::Process& process = *spec.process;
  process.terminal = service.tty;
  process.args = effective_arguments(service, input.image);
  process.env = effective_environment(service, input.image, hostname(input), user.home);
  const std::string& cwd =
      service.working_dir.empty() ? input.image.working_dir : service.working_dir;
  // An image may say "/a/../b/".
  process.cwd = cwd.empty() ? "/" : std::filesystem::path(cwd).lexically_normal().string();
  if (process.cwd.front() != '/')
    throw os::Error("the working directory '" + cwd +
                    "' is invalid: it needs to be an absolute path");
  process.user.uid = user.uid;
  process.user.gid = user.gid;
  process.user.additional_gids = {user.groups.begin(), user.groups.end()};
  if (service.oom_score_adj != 0)
    process.oom_score_adj = static_cast<std::int32_t>(service.oom_score_adj);
  set_rlimits(service, process);
}

void set_root(const ContainerInput& input, container::Spec& spec) {
  const ContainerLayout& layout = input.layout;
  spec.root = container::Root{.path = layout.rootfs, .readonly = input.service->read_only};
  const nlohmann::json overlay = {{"lower", input.layers},
                                  {"upper", layout.upper},
                                  {"work", layout.work},
                                  {"volatile", input.record->remove_on_exit}};
  spec.annotations["stack.rootfs"] = overlay.dump();
  if (input.service->init.value_or(false)) spec.annotations["stack.init"] = "true";
}

void set_identity(const ContainerInput& input, container::Spec& spec) {
  const ContainerRecord& record = *input.record;
  if (input.service->uts != "host") spec.hostname = hostname(input);
  spec.domainname = input.service->domainname;
  const std::string& parent = input.service->cgroup_parent;
  spec.linux.cgroups_path = (parent.empty() || parent.front() != '/' ? "/stack" : parent) + "/" +
                            record.project + "/" + record.short_id();
  for (const auto& [key, value] : input.service->annotations) {
    // Those are what the supervisor tells the runtime: which directories are the root.
    if (key.starts_with("stack."))
      throw os::Error("invalid annotation '" + key + "': names that begin with 'stack.' are taken");
    spec.annotations[key] = value;
  }
  for (const auto& [key, value] : record.labels) spec.annotations["stack.label." + key] = value;
}

}  // namespace

void make_writable_layer(const ContainerLayout& layout, const std::vector<std::string>& layers) {
  const bool is_new = !os::exists(layout.upper);
  layout.make();
  if (!is_new || layers.empty()) return;
  struct stat status {};
  os::check(::stat(layers.front().c_str(), &status),
            [&] { return "look at '" + layers.front() + "'"; });
  os::check(::chown(layout.upper.c_str(), status.st_uid, status.st_gid),
            [&] { return "set the owner of '" + layout.upper + "'"; });
  os::check(::chmod(layout.upper.c_str(), status.st_mode & 07777),
            [&] { return "set the mode of '" + layout.upper + "'"; });
}

container::Spec translate(const ContainerInput& input) {
  const ContainerLayout& layout = input.layout;
  make_writable_layer(layout, input.layers);
  container::Spec spec = make_default(input);
  if (!spec.process) spec.process.emplace();
  set_root(input, spec);
  set_identity(input, spec);
  set_isolation(input, spec);
  set_process(input, spec);
  set_resources(*input.service, spec);
  write_network_files(input);
  add_mounts(input, spec);
  return spec;
}

}  // namespace orchestrator
