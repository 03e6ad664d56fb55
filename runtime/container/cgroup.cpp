#include "runtime/container/cgroup.hpp"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <thread>

#include "runtime/container/cgroup_files.hpp"
#include "runtime/container/device_filter.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"
#include "runtime/os/undo.hpp"

namespace container {
namespace {

// What is enabled on v2 for its statistics alone.
constexpr std::array<std::string_view, 4> kCountingControllers = {"cpu", "io", "memory", "pids"};

std::string with_slash(const std::string& path) {
  std::string result = path.starts_with('/') ? path : "/" + path;
  while (result.size() > 1 && result.back() == '/') result.pop_back();
  return result;
}

// "/a", "/a/b", "/a/b/c" of "/a/b/c".
std::vector<std::string> prefixes(const std::string& path) {
  std::vector<std::string> result;
  for (std::size_t end = path.find('/', 1); end != std::string::npos;
       end = path.find('/', end + 1)) {
    result.push_back(path.substr(0, end));
  }
  result.push_back(path);
  return result;
}

// v1: a group begins without processors and memory nodes and takes no process before it has some
// (cpuset(7)); the parent has been filled before.
void fill_cpuset(const std::string& directory) {
  const std::string parent = directory.substr(0, directory.rfind('/'));
  for (const char* file : {"/cpuset.cpus", "/cpuset.mems"}) {
    const auto ours = os::read_file_if_exists(directory + file, 64 * 1024);
    if (!ours || ours->find_first_not_of(" \n") != std::string::npos) continue;
    if (const auto theirs = os::read_file_if_exists(parent + file, 64 * 1024)) {
      os::write_to(directory + file, *theirs);
    }
  }
}

// Makes one directory; true when it is new.
bool make_group(const std::string& directory) {
  if (::mkdir(directory.c_str(), 0755) == 0) return true;
  if (errno == EEXIST) return false;
  throw os::Error(errno, "make the control group '" + directory + "'");
}

// A leaf left by a container of the same name is taken away, so that none of its limits stays.
void make_leaf(const std::string& directory) {
  if (make_group(directory)) return;
  if (!read_processes(directory).empty()) {
    throw os::Error(EEXIST, "make the control group '" + directory + "', which is in use");
  }
  for (const std::string& child : child_groups(directory)) ::rmdir(child.c_str());
  os::check(::rmdir(directory.c_str()),
            [&] { return "remove the old control group '" + directory + "'"; });
  make_group(directory);
}

// No process may be in a v2 group that has controllers enabled for its children: those in the
// delegated group itself, ours among them, go to a leaf beside the containers. The root may have
// both; it is the one group that has no type.
void evacuate(const std::string& directory) {
  constexpr int kMostRounds = 20;  // what starts another process meanwhile starts it here
  if (!os::exists(directory + "/cgroup.type")) return;
  const std::string leaf = directory + "/stack-engine";
  for (int round = 0; round < kMostRounds; ++round) {
    const std::string text = os::read_file_if_exists(directory + "/cgroup.procs").value_or("");
    if (text.empty()) return;
    make_group(leaf);
    for (const std::string_view pid : fields(text, '\n')) {
      try {
        os::write_to(leaf + "/cgroup.procs", pid);
      } catch (const os::Error& error) {
        if (error.code() != ESRCH) throw;
      }
    }
  }
}

bool is_enabled(const std::string& directory, std::string_view controller) {
  const std::string text =
      os::read_file_if_exists(directory + "/cgroup.subtree_control", 4096).value_or("");
  for (const std::string_view line : fields(text, '\n')) {
    const auto names = fields(line, ' ');
    if (std::find(names.begin(), names.end(), controller) != names.end()) return true;
  }
  return false;
}

// Makes `controller` available in the children of `directory`.
void enable(const std::string& directory, const std::string& controller) {
  if (is_enabled(directory, controller)) return;
  // Before, not when the kernel refuses: cpu and pids it would enable all the same, and then let no
  // process into a child.
  evacuate(directory);
  os::write_to(directory + "/cgroup.subtree_control", "+" + controller);
}

// From the hierarchy's base down to the parent of `leaf`.
void enable_down_to(const Hierarchy& hierarchy, const std::string& leaf,
                    const std::string& controller) {
  const std::string below = leaf.substr(hierarchy.base.size());
  enable(hierarchy.base, controller);
  std::vector<std::string> path = prefixes(below);
  path.pop_back();
  for (const std::string& each : path) enable(hierarchy.base + each, controller);
}

void make_in_hierarchy(const Hierarchy& hierarchy, const std::string& path, os::Undo& undo) {
  const std::vector<std::string> directories = prefixes(path);
  for (const std::string& each : directories) {
    const std::string directory = hierarchy.base + each;
    if (each == directories.back()) {
      make_leaf(directory);
      undo.add([directory] { ::rmdir(directory.c_str()); });
    } else if (make_group(directory)) {
      undo.add([directory] { ::rmdir(directory.c_str()); });
    }
    if (!hierarchy.unified && hierarchy.has("cpuset")) fill_cpuset(directory);
  }
}

void enable_counting(const Hierarchy& hierarchy, const std::string& leaf) {
  for (const std::string_view controller : kCountingControllers) {
    if (!hierarchy.has(controller)) continue;
    try {
      enable_down_to(hierarchy, leaf, std::string(controller));
    } catch (const os::Error&) {
      // Nobody has asked for a limit yet; set_limits() insists.
    }
  }
}

void write_step(const std::string& directory, const LimitStep& step) {
  std::string file = step.file;
  std::string value = step.value;
  if (!os::exists(directory + "/" + file) && !step.alternative_file.empty()) {
    file = step.alternative_file;
    value = step.alternative_value;
  }
  if (step.may_be_missing && !os::exists(directory + "/" + file)) return;
  try {
    os::write_to(directory + "/" + file, value);
  } catch (const os::Error& error) {
    if (error.code() == ENOENT) {
      throw os::Error(ENOENT, "set " + file + " to " + value + ": the controller '" +
                                  step.controller + "' does not offer it in '" + directory + "'");
    }
    throw os::Error(error.code(), "set " + file + " to " + value + " in '" + directory + "'");
  }
}

// Parents may be taken away by another container's end between two of our calls.
constexpr int kCreateAttempts = 5;

}  // namespace

const std::string* Cgroup::unified_path() const noexcept {
  const auto found = paths_.find("");
  return found == paths_.end() ? nullptr : &found->second;
}

Cgroup Cgroup::create(const CgroupLayout& layout, const std::string& path) {
  const std::string full_path = with_slash(path);
  if (full_path == "/" || full_path.find("/..") != std::string::npos) {
    throw os::Error(EINVAL, "make the control group '" + path + "'");
  }
  Cgroup cgroup;
  cgroup.layout_ = layout;
  for (int attempt = 1;; ++attempt) {
    os::Undo undo;
    try {
      for (const Hierarchy& hierarchy : layout.hierarchies()) {
        make_in_hierarchy(hierarchy, full_path, undo);
        const std::string leaf = hierarchy.base + full_path;
        cgroup.paths_[hierarchy.name] = leaf;
        if (hierarchy.unified) enable_counting(hierarchy, leaf);
      }
      undo.commit();
      return cgroup;
    } catch (const os::Error& error) {
      if (error.code() != ENOENT || attempt == kCreateAttempts) throw;
    }
  }
}

Cgroup Cgroup::open(const CgroupLayout& layout, const Paths& paths) {
  Cgroup cgroup;
  cgroup.layout_ = layout;
  for (const auto& [name, directory] : paths) {
    if (os::exists(directory)) cgroup.paths_.emplace(name, directory);
  }
  return cgroup;
}

std::optional<std::string> Cgroup::directory(std::string_view controller) const {
  const Hierarchy* hierarchy = layout_.find(controller);
  if (hierarchy == nullptr) return std::nullopt;
  const auto found = paths_.find(hierarchy->name);
  return found == paths_.end() ? std::nullopt : std::optional(found->second);
}

std::vector<std::string> Cgroup::set_limits(const Resources& resources) {
  const LimitPlan plan = plan_limits(resources, layout_);
  if (!plan.missing.empty()) {
    std::string text;
    for (const std::string& each : plan.missing) text += (text.empty() ? "" : "\n") + each;
    throw os::Error(text);
  }
  const Hierarchy* v2 = layout_.unified();
  for (const std::string& controller : needed_controllers(plan)) {
    if (v2 != nullptr && v2->has(controller)) enable_down_to(*v2, *unified_path(), controller);
  }
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const LimitStep& step = plan.steps[i];
    const std::string where = directory(step.controller).value_or("");
    try {
      write_step(where, step);
    } catch (const os::Error& error) {
      if (!step.may_follow_next || (error.code() != EINVAL && error.code() != EBUSY)) throw;
      write_step(where, plan.steps[++i]);
      write_step(where, step);
    }
  }
  apply_devices(resources.devices);
  return plan.warnings;
}

void Cgroup::apply_devices(const std::vector<DeviceRule>& rules) const {
  if (rules.empty()) return;
  if (const auto directory = this->directory("devices")) {
    for (const DeviceLine& line : device_lines(rules)) {
      os::write_to(*directory + (line.allow ? "/devices.allow" : "/devices.deny"), line.text);
    }
    return;
  }
  const os::UniqueFd group = unified_directory();
  if (!group) throw os::Error("linux.resources.devices: this machine has no device controller");
  attach_device_program(group.get(), load_device_program(device_program(rules)).get());
}

std::vector<os::UniqueFd> Cgroup::entrances() const {
  std::vector<os::UniqueFd> entrances;
  for (const auto& [name, directory] : paths_)
    if (!name.empty()) entrances.push_back(os::open_file(directory + "/tasks", O_WRONLY));
  return entrances;
}

void enter_cgroups(const std::vector<os::UniqueFd>& entrances) {
  for (const os::UniqueFd& entrance : entrances)
    os::write_all(entrance.get(), "0", "a control group");
}

os::UniqueFd Cgroup::unified_directory() const {
  const std::string* path = unified_path();
  if (path == nullptr) return {};
  return os::open_file(*path, O_RDONLY | O_DIRECTORY);
}

os::UniqueFd Cgroup::events() const {
  const std::string* path = unified_path();
  if (path == nullptr) return {};
  return os::open_file(*path + "/cgroup.events", O_RDONLY);
}

std::uint64_t Cgroup::oom_kills() const {
  const auto directory = this->directory("memory");
  if (!directory) return 0;
  const bool is_v2 = layout_.find("memory")->unified;
  return read_keyed(*directory + (is_v2 ? "/memory.events" : "/memory.oom_control"), "oom_kill")
      .value_or(0);
}

os::UniqueFd Cgroup::oom_events() const {
  const auto directory = this->directory("memory");
  if (!directory) return {};
  if (layout_.find("memory")->unified) {
    os::UniqueFd watch(os::check(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK),
                                 [] { return "make an inotify descriptor"; }));
    const std::string file = *directory + "/memory.events";
    os::check(::inotify_add_watch(watch.get(), file.c_str(), IN_MODIFY),
              [&] { return "watch '" + file + "'"; });
    return watch;
  }
  // memory.txt of the kernel, "OOM Control": EVENTFD, then the descriptor of the file.
  os::UniqueFd event(
      os::check(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), [] { return "make an eventfd"; }));
  const os::UniqueFd file = os::open_file(*directory + "/memory.oom_control", O_RDONLY);
  os::write_to(*directory + "/cgroup.event_control",
               std::to_string(event.get()) + " " + std::to_string(file.get()));
  return event;
}

std::vector<pid_t> Cgroup::processes() const {
  if (const std::string* path = unified_path()) return read_processes(*path);
  return paths_.empty() ? std::vector<pid_t>() : read_processes(paths_.begin()->second);
}

bool Cgroup::populated() const {
  if (const std::string* path = unified_path()) {
    return read_keyed(*path + "/cgroup.events", "populated").value_or(0) != 0;
  }
  return !processes().empty();
}

namespace {

// rmdir of a group and all below it; a dying process keeps it busy for a moment.
void remove_groups(const std::string& directory, int depth,
                   std::chrono::steady_clock::time_point deadline) {
  constexpr int kMaxDepth = 64;
  for (auto pause = std::chrono::milliseconds(1);; pause *= 2) {
    if (::rmdir(directory.c_str()) == 0 || errno == ENOENT) return;
    const int errnum = errno;
    if (errnum == EBUSY && depth < kMaxDepth) {
      for (const std::string& child : child_groups(directory)) {
        remove_groups(child, depth + 1, deadline);
      }
      if (::rmdir(directory.c_str()) == 0 || errno == ENOENT) return;
    }
    const bool is_late = std::chrono::steady_clock::now() + pause > deadline;
    if (errnum != EBUSY || is_late) {
      throw os::Error(errnum, "remove the control group '" + directory + "'");
    }
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace

void Cgroup::remove() {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(1);
  std::optional<os::Error> first;
  for (auto each = paths_.begin(); each != paths_.end();) {
    try {
      remove_groups(each->second, 0, deadline);
      each = paths_.erase(each);
    } catch (const os::Error& error) {
      if (!first) first = error;
      ++each;
    }
  }
  if (first) throw *first;
}

void remove_cgroup_parent(const CgroupLayout& layout, const std::string& path) {
  const std::string full_path = with_slash(path);
  if (full_path == "/") return;
  for (const Hierarchy& hierarchy : layout.hierarchies()) {
    ::rmdir((hierarchy.base + full_path).c_str());
  }
}

}  // namespace container
