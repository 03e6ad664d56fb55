#include "runtime/build/run_mounts.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/build/cache_exchange.hpp"
#include "runtime/build/copy_into.hpp"
#include "runtime/image/copy.hpp"
#include "runtime/image/layer_tree.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"
#include "runtime/os/mount.hpp"

namespace build {

namespace {

using image::LayerStack;
using Type = RunMount::Type;

constexpr std::size_t kMaxSecret = 500 * 1024;

std::string target_of(const RunStep& step, const std::string& target) {
  std::string path = absolute_path(step.directory, target);
  if (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

std::shared_ptr<SourceTree> tree_of(Session& session, const RunMount& mount,
                                    const StepPlace& place) {
  if (mount.from.empty()) return session.context();
  return session.tree_of(find_origin(session.graph.stages, place.stage->index,
                                     session.context_names(), mount.from, false));
}

/// What tells one cache from another: with other owners or modes it is another one.
std::string cache_id(const RunStep& step, const RunMount& mount) {
  std::string id = mount.id.empty() ? target_of(step, mount.target) : mount.id;
  const std::uint32_t mode = mount.mode.value_or(0755);
  if (mount.uid != 0 || mount.gid != 0 || mode != 0755)
    id += "\n" + std::to_string(mount.uid) + ":" + std::to_string(mount.gid) + " " +
          std::to_string(mode);
  return id;
}

/// What hides the files of a context that .dockerignore names, as a layer above it.
void hide_ignored(const SourceTree& tree, const LayerStack::Node& node, const std::string& path,
                  const std::string& relative, image::LayerTree& mask) {
  for (const std::string& name : LayerStack::names(node)) {
    const auto child = LayerStack::child(node, name);
    if (!child) continue;
    const std::string place = path.empty() ? name : path + "/" + name;
    const std::string below = relative.empty() ? name : relative + "/" + name;
    const bool out = tree.ignore.ignores(place);
    if (out && !(child->is_directory() && shows_anything(tree, *child, place)))
      mask.white_out(*mask.directory(relative), name);
    else if (child->is_directory())
      hide_ignored(tree, *child, place, below, mask);
  }
}

/// A cache that begins as something else is another one, too.
std::string cache_key(Session& session, const RunStep& step, const StepPlace& place,
                      const RunMount& mount) {
  std::string id = cache_id(step, mount);
  if (!mount.from.empty()) {
    const auto tree = tree_of(session, mount, place);
    KeyBuilder seed;
    for (const Selected& each : select_sources(*tree, {mount.source}, false))
      add_content(seed, *tree, each, Ignore(), session.index);
    id += "\n" + seed.finish().hex();
  }
  return image::Digest::of(id).hex();
}

class Preparation {
 public:
  Preparation(Session& session, const RunStep& step, const StepPlace& place, std::string directory)
      : session_(session), step_(step), place_(place), directory_(std::move(directory)) {}

  PreparedMounts run() {
    for (const RunMount& mount : step_.mounts) {
      switch (mount.type) {
        case Type::bind:
          add_bind(mount);
          break;
        case Type::cache:
          add_cache(mount);
          break;
        case Type::tmpfs:
          add_tmpfs(mount);
          break;
        case Type::secret:
          add_secret(mount);
          break;
        case Type::ssh:
          add_ssh(mount);
          break;
      }
    }
    if (!step_.script_name.empty()) add_script();
    return std::move(result_);
  }

 private:
  std::string make_directory(const char* kind) {
    const std::string path = directory_ + "/" + kind + std::to_string(next_++);
    os::make_directories(path, 0755);
    return path;
  }

  void add(container::Mount mount, bool directory) {
    result_.points.push_back({mount.destination, directory});
    result_.mounts.push_back(std::move(mount));
  }

  void add_bind(const RunMount& mount) {
    const auto tree = tree_of(session_, mount, place_);
    const std::string source = clean_relative(mount.source);
    const auto node = tree->stack.resolve(source);
    if (!node) select_sources(*tree, {source}, false);  // says what is there instead
    const std::string target = target_of(step_, mount.target);
    if (node->is_directory()) return add_bind_directory(*tree, source, *node, mount, target);
    if (tree->ignore.ignores(source)) select_sources(*tree, {source}, false);
    container::Mount made{.destination = target, .type = "bind", .source = "", .options = {"bind"}};
    made.source = os::path_of(node->fd.get());
    if (mount.read_only) {
      made.options.emplace_back("ro");
    } else {
      // A copy, for what is written is thrown away.
      const std::string copy = make_directory("bind");
      const os::UniqueFd into = os::open_file(copy, O_RDONLY | O_DIRECTORY);
      image::copy_file(*node, into.get(), "file");
      made.source = copy + "/file";
    }
    add(std::move(made), false);
  }

  void add_bind_directory(const SourceTree& tree, const std::string& source,
                          const LayerStack::Node& node, const RunMount& mount,
                          const std::string& target) {
    std::vector<std::string> lower;
    for (const os::UniqueFd& part : node.merged) lower.push_back(os::path_of(part.get()));
    if (!tree.ignore.empty()) {
      const std::string mask = make_directory("mask");
      dress(mask, node);
      const os::UniqueFd fd = os::open_file(mask, O_RDONLY | O_DIRECTORY);
      const LayerStack below(lower);
      image::LayerTree hidden(fd.get(), below, image::Limits{});
      hide_ignored(tree, node, source, "", hidden);
      hidden.set_times();
      lower.insert(lower.begin(), mask);
    }
    // An overlay needs two layers at least.
    if (lower.size() == 1) {
      const std::string empty = make_directory("empty");
      dress(empty, node);
      lower.push_back(empty);
    }
    container::Mount made{
        .destination = target, .type = "overlay", .source = "overlay", .options = {}};
    for (const std::string& layer : lower) made.options.push_back("lowerdir+=" + layer);
    if (mount.read_only) {
      made.options.emplace_back("ro");
    } else {
      const std::string upper = session_.workspace.temporary();
      const std::string work = session_.workspace.temporary();
      os::make_directories(upper, 0755);
      os::make_directories(work, 0700);
      dress(upper, node);
      made.options.push_back("upperdir=" + upper);
      made.options.push_back("workdir=" + work);
    }
    add(std::move(made), true);
  }

  static void dress(const std::string& path, const LayerStack::Node& node) {
    const os::UniqueFd fd = os::open_file(path, O_RDONLY | O_DIRECTORY);
    image::copy_attributes(node.top(), node.status, fd.get(), path);
  }

  /// Where the cache lies; with `private` the first one that nobody uses.
  std::string hold_cache(const RunMount& mount, const std::string& key) {
    const std::string base = mount_directory(session_.options, key);
    os::make_directories(session_.options.data_directory + "/mounts", 0700);
    if (mount.sharing == RunMount::Sharing::shared) {
      result_.locks.push_back(os::FileLock::acquire_shared(base + ".lock"));
      return base;
    }
    if (mount.sharing == RunMount::Sharing::locked) {
      while (true) {
        if (auto lock = os::FileLock::try_acquire(base + ".lock")) {
          result_.locks.push_back(*std::move(lock));
          return base;
        }
        session_.cancel.check();
        ::usleep(20'000);
      }
    }
    for (int i = 0;; ++i) {
      const std::string path = i == 0 ? base : base + "." + std::to_string(i);
      if (auto lock = os::FileLock::try_acquire(path + ".lock")) {
        result_.locks.push_back(*std::move(lock));
        return path;
      }
    }
  }

  void add_cache(const RunMount& mount) {
    const std::string key = cache_key(session_, step_, place_, mount);
    const std::string path = hold_cache(mount, key);
    const std::string data = path + "/data";
    const os::FileLock making = os::FileLock::acquire(path + ".making");
    if (!os::exists(data)) make_cache(mount, key, path);
    ::utimensat(AT_FDCWD, path.c_str(), nullptr, 0);  // for prune: used now
    container::Mount made{.destination = target_of(step_, mount.target),
                          .type = "bind",
                          .source = data,
                          .options = {"rbind"}};
    if (mount.read_only) made.options.emplace_back("ro");
    add(std::move(made), true);
  }

  /// Complete before it has its name.
  void make_cache(const RunMount& mount, const std::string& key, const std::string& path) {
    const std::string fresh = path + "/new";
    os::remove_tree(fresh);
    os::make_directories(fresh, 0755);
    if (fill_from_shared(session_, key, fresh)) {
      // What another machine has left in it is more than it begins with.
    } else if (!mount.from.empty()) {
      const auto tree = tree_of(session_, mount, place_);
      for (const Selected& each : select_sources(*tree, {mount.source}, false)) {
        CopyInto into(fresh, {}, {});
        into.copy(*tree, each, "/", Ignore());
        into.finish();
      }
    }
    os::check(::chown(fresh.c_str(), mount.uid, mount.gid),
              [&] { return "set the owner of '" + fresh + "'"; });
    os::check(::chmod(fresh.c_str(), mount.mode.value_or(0755) & 07777),
              [&] { return "set the mode of '" + fresh + "'"; });
    os::check(::rename(fresh.c_str(), (path + "/data").c_str()),
              [&] { return "rename '" + fresh + "'"; });
  }

  void add_tmpfs(const RunMount& mount) {
    container::Mount made{.destination = target_of(step_, mount.target),
                          .type = "tmpfs",
                          .source = "tmpfs",
                          .options = {"nosuid", "nodev"}};
    if (mount.size > 0) made.options.push_back("size=" + std::to_string(mount.size));
    add(std::move(made), true);
  }

  void add_secret(const RunMount& mount) {
    const auto found = session_.options.secrets.find(mount.id);
    if (found == session_.options.secrets.end()) {
      if (mount.required) throw os::Error("secret " + mount.id + ": not found");
      return;
    }
    const std::string content = found->second.content
                                    ? *found->second.content
                                    : os::read_file(found->second.file, kMaxSecret);
    if (!mount.env.empty()) {
      if (content.find('\0') != std::string::npos)
        throw os::Error("secret " + mount.id + " holds a NUL and cannot be a variable");
      result_.environment.push_back(mount.env + "=" + content);
    }
    if (mount.target.empty()) return;
    add_private_file(target_of(step_, mount.target), content, mount.mode.value_or(0400), mount.uid,
                     mount.gid);
  }

  /// The run directory is memory: what is secret never comes to a disk.
  void add_private_file(const std::string& target, const std::string& content, mode_t mode,
                        uid_t uid, gid_t gid) {
    const std::string path = directory_ + "/file" + std::to_string(next_++);
    os::write_file_atomic(path, content, 0600);
    os::check(::chown(path.c_str(), uid, gid), [&] { return "set the owner of '" + path + "'"; });
    os::check(::chmod(path.c_str(), mode & 07777),
              [&] { return "set the mode of '" + path + "'"; });
    add({.destination = target, .type = "bind", .source = path, .options = {"bind", "ro"}}, false);
  }

  void add_ssh(const RunMount& mount) {
    const auto found = session_.options.agents.find(mount.id);
    if (found == session_.options.agents.end()) {
      if (mount.required)
        throw os::Error("ssh " + mount.id + ": no agent was given; pass --ssh " + mount.id);
      return;
    }
    const std::string target = mount.target.empty()
                                   ? "/run/buildkit/ssh_agent." + std::to_string(agents_)
                                   : target_of(step_, mount.target);
    if (agents_++ == 0) result_.environment.push_back("SSH_AUTH_SOCK=" + target);
    add({.destination = target, .type = "bind", .source = found->second, .options = {"bind"}},
        false);
  }

  void add_script() {
    add_private_file("/dev/pipes/" + step_.script_name, step_.script, 0755, 0, 0);
    result_.points.pop_back();  // /dev is a file system of its own
  }

  Session& session_;
  const RunStep& step_;
  const StepPlace& place_;
  std::string directory_;
  PreparedMounts result_;
  int next_ = 0;
  int agents_ = 0;
};

}  // namespace

void add_mounts_to_key(Session& session, const RunStep& step, const StepPlace& place,
                       KeyBuilder& key) {
  key.add(step.mounts.size());
  for (const RunMount& mount : step.mounts) {
    key.add(static_cast<std::uint64_t>(mount.type)).add(target_of(step, mount.target));
    key.add(mount.read_only ? 1U : 0U);
    // Stages are waited for here: a step that works holds one of few slots, and must wait for none.
    if (mount.type == Type::cache) {
      if (!mount.from.empty()) tree_of(session, mount, place);
      key.add(mount.id).add(static_cast<std::uint64_t>(mount.sharing));
      if (std::any_of(session.options.cache_to.begin(), session.options.cache_to.end(),
                      [](const CacheLocation& location) { return location.mounts; }))
        session.note_cache_mount(cache_key(session, step, place, mount));
    }
    if (mount.type == Type::secret || mount.type == Type::ssh) key.add(mount.id).add(mount.env);
    if (mount.type == Type::tmpfs) key.add(static_cast<std::uint64_t>(mount.size));
    if (mount.type != Type::bind) continue;
    const auto tree = tree_of(session, mount, place);
    const std::vector<std::string> sources{mount.source};
    for (const Selected& each : select_sources(*tree, sources, false))
      add_content(key, *tree, each, Ignore(), session.index);
  }
}

std::string mount_directory(const BuildOptions& options, const std::string& key) {
  return options.data_directory + "/mounts/" + key;
}

PreparedMounts prepare_mounts(Session& session, const RunStep& step, const StepPlace& place,
                              const std::string& directory) {
  return Preparation(session, step, place, directory).run();
}

}  // namespace build
