#include "orchestrator/cli/foreground.hpp"

#include "orchestrator/cli/console.hpp"
#include "orchestrator/cli/follow.hpp"
#include "orchestrator/cli/request.hpp"

namespace cli {

namespace {

using orchestrator::protocol::Json;
using orchestrator::protocol::Lifecycle;

class Foreground : public Follower {
 public:
  Foreground(const Invocation& invocation, const std::string& project, JournalReader& journal,
             LogStream& stream, const ForegroundOptions& options)
      : Follower(invocation.paths, project, journal, stream,
                 [&options](const orchestrator::ContainerRecord& record) {
                   return !record.oneoff && options.services.contains(record.service);
                 }),
        invocation_(invocation),
        options_(options) {}

 protected:
  void on_end(const ContainerView& view, int code) override {
    const bool restarting = view.state == "restarting";
    write_out(short_name(view.record) + " exited with code " + std::to_string(code) +
              (restarting ? " (restarting)" : "") + "\n");
    if (view.record.service == options_.exit_code_from && !restarting) named_code_ = code;
    if (stopping_) return;
    if (!options_.abort_on_exit && !(options_.abort_on_failure && code != 0)) return;
    first_code_ = code;
    write_out("Aborting on container exit...\n");
    request_stop("stop");
  }

  std::optional<int> on_interrupt() override {
    interrupted_ = true;
    if (kills_ > 0) return kInterrupted;
    if (stopping_) {
      ++kills_;
      write_err("Killing...\n");
      request_stop("kill");
    } else {
      write_err("Gracefully Stopping... press Ctrl+C again to force\n");
      request_stop("stop");
    }
    return std::nullopt;
  }

  void add_wakes(std::vector<pollfd>& fds) override {
    if (stopper_) fds.push_back({stopper_->connection().fd(), POLLIN, 0});
  }

  std::optional<int> on_wake() override {
    if (!stopper_) return std::nullopt;
    bool done = !stopper_->connection().receive();
    while (const auto event = stopper_->connection().next()) {
      stopper_->printer().print(*event);
      done = done || event->value("event", "") == "done";
    }
    if (!done) return std::nullopt;
    stopper_.reset();
    catch_up();
    for (const std::string& id : stream().ids()) stream().end_of(id);
    return code_at_end();
  }

  int code_at_end() override {
    if (interrupted_) return kInterrupted;
    if (!options_.exit_code_from.empty()) return code_of(options_.exit_code_from);
    return first_code_;
  }

 private:
  /// A kill cancels the stop that is under way: the supervisor lets it pass.
  void request_stop(const std::string& operation) {
    stopping_ = true;
    Lifecycle request{.stack = nullptr, .timeout = options_.timeout};
    stopper_.emplace(invocation_, project(), operation, request);
  }

  int code_of(const std::string& service) {
    for (const ContainerView& view : of_services(view_containers(paths(), project()), {service}))
      return view.exit_code;
    return named_code_;
  }

  const Invocation& invocation_;
  const ForegroundOptions& options_;
  std::optional<Request> stopper_;  ///< the stop or kill under way
  bool stopping_ = false;
  bool interrupted_ = false;
  int kills_ = 0;
  int first_code_ = 0;
  int named_code_ = 0;
};

std::string attaching_line(const Invocation& invocation, const std::string& project,
                           const ForegroundOptions& options) {
  std::string names;
  for (const auto& record : orchestrator::read_records(invocation.paths, project)) {
    if (record.oneoff || !options.services.contains(record.service)) continue;
    names += (names.empty() ? "" : ", ") + short_name(record);
  }
  return "Attaching to " + names + "\n";
}

}  // namespace

int follow_project(Invocation& invocation, const std::string& project, JournalReader& journal,
                   const ForegroundOptions& options) {
  if (invocation.style.progress == ProgressStyle::tty)
    invocation.style.progress = ProgressStyle::plain;
  write_out(attaching_line(invocation, project, options));
  LogStream stream(invocation.paths, options.format);
  Foreground foreground(invocation, project, journal, stream, options);
  return foreground.run();
}

}  // namespace cli
