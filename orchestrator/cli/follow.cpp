#include "orchestrator/cli/follow.hpp"

namespace cli {

namespace {

/// A container that was told to stop may be about to start again (`restart`): this long without one
/// that runs, and it is over.
constexpr int kRestartGrace = 1000;  // milliseconds

/// The supervisor journals an end a moment before it writes down whether a restart follows; one
/// that was killed is followed by another, which does.
constexpr int kSettlePause = 20;  // milliseconds
constexpr int kMostSettlingScans = 250;

}  // namespace

Follower::Follower(const orchestrator::Paths& paths, std::string project, JournalReader& journal,
                   LogStream& stream, Wanted wanted, std::optional<Time> since)
    : paths_(paths),
      project_(std::move(project)),
      journal_(journal),
      stream_(stream),
      wanted_(std::move(wanted)),
      since_(since) {}

int Follower::run() {
  scan();
  bool grace_is_over = false;
  for (;;) {
    catch_up();
    if (const auto code = on_wake()) return *code;
    if (over(grace_is_over)) break;
    std::vector<pollfd> fds{{interrupts_.fd(), POLLIN, 0}, {journal_.wake(), POLLIN, 0}};
    stream_.add_wakes(fds);
    add_wakes(fds);
    const int wait = timeout();
    const int sooner = wake_after();
    const bool cut_short = sooner >= 0 && (wait < 0 || sooner < wait);
    const int count = ::poll(fds.data(), fds.size(), cut_short ? sooner : wait);
    grace_is_over = count == 0 && !cut_short && wait == kRestartGrace;
    if (settling_scans_ > 0) scan();
    if (interrupts_.take())
      if (const auto code = on_interrupt()) return *code;
  }
  for (const std::string& id : stream_.ids()) stream_.end_of(id);
  return code_at_end();
}

void Follower::catch_up() {
  take_events();
  stream_.print();
  tell_ends();
}

bool Follower::over(bool grace_is_over) const {
  if (any_active_ || expects_more() || timeout() == kSettlePause) return false;
  return !stopped_by_user_ || grace_is_over;
}

int Follower::timeout() const {
  if (settling_scans_ > 0 && settling_scans_ <= kMostSettlingScans) return kSettlePause;
  return any_active_ || expects_more() ? -1 : kRestartGrace;
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
      const std::string code = entry.value("attributes", Json::object()).value("exitCode", "0");
      ends_.push_back({id, std::atoi(code.c_str())});
    } else if (action == "destroy") {
      tell_ends();
      stream_.forget(id);
      known_.erase(id);
    }
  }
}

/// Tells of the containers that have ended, once it is known what comes next.
void Follower::tell_ends() {
  if (timeout() == kSettlePause) return;
  for (const End& end : std::exchange(ends_, {})) {
    const auto known = known_.find(end.id);
    if (known == known_.end()) continue;
    stream_.end_of(end.id);
    on_end(known->second, end.code);
  }
}

void Follower::scan() {
  any_active_ = false;
  stopped_by_user_ = false;
  bool settling = false;
  for (ContainerView& view : view_containers(paths_, project_)) {
    if (!wanted_(view.record)) continue;
    const std::string id = view.record.id;
    if (!stream_.has(id)) stream_.add(view.record, {.since = since_}, true);
    any_active_ = any_active_ || view.is_active();
    stopped_by_user_ = stopped_by_user_ || view.record.stopped_by_user;
    settling = settling || view.settling;
    known_.insert_or_assign(id, std::move(view));
  }
  settling_scans_ = settling ? settling_scans_ + 1 : 0;
}

}  // namespace cli
