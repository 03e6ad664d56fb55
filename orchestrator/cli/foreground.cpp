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
  /// `up` is the request under way; its events have been shown up to "created".
  Foreground(const Invocation& invocation, const std::string& project, JournalReader& journal,
             LogStream& stream, const ForegroundOptions& options, Request up, Time since)
      : Follower(
            invocation.paths, project, journal, stream,
            [&options](const orchestrator::ContainerRecord& record) {
              return !record.oneoff && options.services.contains(record.service);
            },
            since),
        invocation_(invocation),
        options_(options),
        up_(std::move(up)),
        printer_(up_->shared_printer()) {
    stream.before_writing([this] { printer_->hide(); });
  }

 protected:
  void on_end(const ContainerView& view, int code) override {
    const bool restarting = view.state == "restarting";
    say(short_name(view.record) + " exited with code " + std::to_string(code) +
        (view.ran_out_of_memory() ? " (out of memory)" : "") + (restarting ? " (restarting)" : "") +
        "\n");
    if (view.record.service == options_.exit_code_from && !restarting) named_code_ = code;
    if (stopping_) return;
    if (!options_.abort_on_exit && !(options_.abort_on_failure && code != 0)) return;
    first_code_ = code;
    say("Aborting on container exit...\n");
    request_stop("stop");
  }

  std::optional<int> on_interrupt() override {
    interrupted_ = true;
    if (kills_ > 0) return kInterrupted;
    printer_->hide();
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
    if (up_) fds.push_back({up_->connection().fd(), POLLIN, 0});
  }

  int wake_after() const override { return up_ || stopper_ ? printer_->timeout() : -1; }
  bool expects_more() const override { return up_.has_value(); }

  std::optional<int> on_wake() override {
    if (const auto code = continue_up()) return code;
    if (stopper_ && has_stopped()) {
      stopper_.reset();
      printer_->finish();
      catch_up();
      for (const std::string& id : stream().ids()) stream().end_of(id);
      return code_at_end();
    }
    if (wake_after() >= 0)
      printer_->tick();
    else
      printer_->show();
    return std::nullopt;
  }

  int code_at_end() override {
    if (interrupted_) return kInterrupted;
    if (!options_.exit_code_from.empty()) return code_of(options_.exit_code_from);
    return first_code_;
  }

 private:
  void say(const std::string& text) {
    printer_->hide();
    write_out(text);
  }

  /// What `up` still has to tell. Returns its exit code when it has failed.
  std::optional<int> continue_up() {
    if (!up_) return std::nullopt;
    up_->receive();
    const auto event = up_->take();
    if (!event || event->value("event", "") != "done") return std::nullopt;
    up_.reset();
    if (stopping_) return std::nullopt;
    printer_->finish();
    const int code = event->value("exit_code", 1);
    if (code != 0) return code;
    scan();
    return std::nullopt;
  }

  bool has_stopped() {
    bool done = !stopper_->connection().receive();
    while (const auto event = stopper_->connection().next()) {
      stopper_->printer().print(*event);
      done = done || event->value("event", "") == "done";
    }
    return done;
  }

  /// A stop takes the place of an `up` that is still starting. A kill cancels the stop that is
  /// under way: the supervisor lets it pass.
  void request_stop(const std::string& operation) {
    if (!up_ && !stopper_) printer_ = std::make_shared<EventPrinter>(invocation_.style);
    stopping_ = true;
    const Lifecycle request{.stack = nullptr, .timeout = options_.timeout};
    stopper_.emplace(invocation_, project(), operation, request, printer_);
  }

  int code_of(const std::string& service) {
    for (const ContainerView& view : of_services(view_containers(paths(), project()), {service}))
      return view.exit_code;
    return named_code_;
  }

  const Invocation& invocation_;
  const ForegroundOptions& options_;
  std::optional<Request> up_;       ///< until everything has started
  std::optional<Request> stopper_;  ///< the stop or kill under way
  std::shared_ptr<EventPrinter> printer_;
  bool stopping_ = false;
  bool interrupted_ = false;
  int kills_ = 0;
  int first_code_ = 0;
  int named_code_ = 0;
};

/// Says whose logs are shown, and has `stream` make room for their names.
std::string attaching_line(const Invocation& invocation, const std::string& project,
                           const ForegroundOptions& options, LogStream& stream) {
  std::string names;
  for (const auto& record : orchestrator::read_records(invocation.paths, project)) {
    if (record.oneoff || !options.services.contains(record.service)) continue;
    names += (names.empty() ? "" : ", ") + short_name(record);
    stream.widen(short_name(record));
  }
  return "Attaching to " + names + "\n";
}

}  // namespace

int up_in_foreground(const Invocation& invocation, const std::string& project,
                     const orchestrator::protocol::Up& request, const ForegroundOptions& options) {
  Interrupts interrupts;
  const Time since = std::chrono::system_clock::now();
  JournalReader journal(invocation.paths, project, JournalReader::Begin::at_end);
  Request up(invocation, project, "up", request);
  for (;;) {
    const auto event = up.next(interrupts);
    if (!event) return kInterrupted;
    if (event->value("event", "") == "done") return event->value("exit_code", 1);
    if (event->value("event", "") == "created") break;
  }
  // Those that had to go for it ended without anybody attached to them.
  journal.take();
  up.printer().hide();
  LogStream stream(invocation.paths, options.format);
  write_out(attaching_line(invocation, project, options, stream));
  Foreground foreground(invocation, project, journal, stream, options, std::move(up), since);
  return foreground.run();
}

}  // namespace cli
