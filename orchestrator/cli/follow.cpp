#include "orchestrator/cli/follow.hpp"

namespace cli {

namespace {

/// A container that was told to stop may be about to start again (`restart`): this long without one
/// that runs, and it is over.
constexpr int kRestartGrace = 1000;  // milliseconds

}  // namespace

Follower::Follower(const orchestrator::Paths& paths, std::string project, JournalReader& journal,
                   LogStream& stream, Wanted wanted)
    : paths_(paths),
      project_(std::move(project)),
      journal_(journal),
      stream_(stream),
      wanted_(std::move(wanted)) {}

int Follower::run() {
  scan();
  bool grace_is_over = false;
  for (;;) {
    take_events();
    stream_.print();
    if (const auto code = on_wake()) return *code;
    if (!any_active_ && (!stopped_by_user_ || grace_is_over)) break;
    std::vector<pollfd> fds{{interrupts_.fd(), POLLIN, 0}, {journal_.wake(), POLLIN, 0}};
    stream_.add_wakes(fds);
    add_wakes(fds);
    const int count = ::poll(fds.data(), fds.size(), any_active_ ? -1 : kRestartGrace);
    grace_is_over = count == 0 && !any_active_;
    if (interrupts_.take())
      if (const auto code = on_interrupt()) return *code;
  }
  stream_.print();
  for (const std::string& id : stream_.ids()) stream_.end_of(id);
  return code_at_end();
}

void Follower::take_events() {
  const std::vector<Json> entries = journal_.take();
  if (entries.empty()) return;
  scan();
  stream_.print();
  for (const Json& entry : entries) {
    const std::string action = entry.value("action", "");
    const std::string id = entry.value("id", "");
    if (action == "die") {
      stream_.end_of(id);
      const auto known = known_.find(id);
      if (known == known_.end()) continue;
      const std::string code = entry.value("attributes", Json::object()).value("exitCode", "0");
      on_end(known->second, std::atoi(code.c_str()));
    } else if (action == "destroy") {
      stream_.forget(id);
      known_.erase(id);
    }
  }
}

/// Takes up containers that are new; finds out whether any runs.
void Follower::scan() {
  any_active_ = false;
  stopped_by_user_ = false;
  for (ContainerView& view : view_containers(paths_, project_)) {
    if (!wanted_(view.record)) continue;
    const std::string id = view.record.id;
    if (!stream_.has(id)) stream_.add(view.record, {}, true);
    any_active_ = any_active_ || view.is_active();
    stopped_by_user_ = stopped_by_user_ || view.record.stopped_by_user;
    known_.insert_or_assign(id, std::move(view));
  }
}

}  // namespace cli
