#include "runtime/build/steps.hpp"

#include "runtime/build/copy_into.hpp"
#include "runtime/image/user.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace build {

std::pair<uid_t, gid_t> resolve_owner(Session& session, const Root& root, const std::string& text,
                                      bool number_is_group) {
  constexpr std::size_t kLimit = 4 * 1024 * 1024;
  const image::LayerStack stack(session.workspace.directories(root));
  std::string passwd = stack.read_file("/etc/passwd", kLimit).value_or("");
  std::string group = stack.read_file("/etc/group", kLimit).value_or("");
  std::string full = text;
  if (number_is_group) {
    // --chown leaves out what is 0, and knows root where nobody else is known.
    if (full.starts_with(':')) full = "0" + text;
    if (full.ends_with(':')) full += "0";
    passwd += "\nroot:x:0:0::/:\n";
    group += "\nroot:x:0:\n";
  }
  const image::User user = image::resolve_user(full, {}, passwd, group);
  const bool bare_number =
      !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
  return {user.uid, bare_number && number_is_group ? user.uid : user.gid};
}

StepOutcome cached_or_made(Session& session, Root& root, const image::Digest& key,
                           const StepPlace& place,
                           const std::function<void(const Staging& staging)>& make) {
  const Workspace::KeyLock lock(session.workspace, key);
  if (place.use_cache) {
    if (auto record = session.workspace.find(key, root)) {
      Workspace::append(root, *record);
      return {.record = *std::move(record), .cached = true};
    }
  }
  const Slots::Held slot(session.slots);
  session.cancel.check();
  const Staging staging = session.workspace.stage(root);
  make(staging);
  session.cancel.check();
  return {.record = session.workspace.finish(staging, root, key, session.options.source_date_epoch,
                                             session.now()),
          .cached = false};
}

StepOutcome perform_workdir(Session& session, const WorkdirStep& step, Root& root,
                            const StepPlace& place) {
  CopyOptions options;
  options.time = session.options.source_date_epoch;
  try {
    options.owner = resolve_owner(session, root, step.user, false);
  } catch (const os::Error&) {
    options.owner = {0, 0};  // a user who is not there owns nothing; RUN would say so
  }
  KeyBuilder key;
  key.add("workdir 1").add(root.chain().hex()).add(step.path);
  key.add(options.owner->first).add(options.owner->second);
  if (options.time) key.add(static_cast<std::uint64_t>(*options.time));
  return cached_or_made(session, root, key.finish(), place, [&](const Staging& staging) {
    CopyInto into(staging.upper, session.workspace.directories(root), options);
    const image::LayerStack lower(session.workspace.directories(root));
    const auto existing = lower.resolve(step.path);
    // A directory that is there stays as it is, and the layer empty.
    if (!existing || !existing->is_directory()) into.make_directory(step.path);
    into.finish();
  });
}

}  // namespace build
