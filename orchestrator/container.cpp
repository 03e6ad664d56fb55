#include "orchestrator/container.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <csignal>

#include "manifests/decode.hpp"
#include "orchestrator/project.hpp"
#include "orchestrator/translate.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"
#include "runtime/os/signal.hpp"

namespace orchestrator {

namespace asio = boost::asio;

Container::Container(Project& project, ContainerRecord record)
    : project_(project),
      record_(std::move(record)),
      stack_(manifests::from_json(record_.model)),
      machine_(record_.oneoff ? manifests::RestartPolicy{} : service().restart_policy()),
      timer_(project.executor()) {
  if (stack_.services.size() != 1)
    throw os::Error("record of container '" + record_.name + "' describes no single service");
  if (record_.outcome) status_.state = "exited";
  image_ = project_.image(record_.image_id).image.config;
  health_check_ = effective_health_check(service(), image_);
}

Container::~Container() = default;

bool Container::active() const {
  return machine_.state() != ContainerState::created && machine_.state() != ContainerState::exited;
}

std::optional<std::string> Container::unheeded_stop_signal() const {
  if (pid_ == 0) return std::nullopt;
  const int signal = effective_stop_signal(service(), image_);
  try {
    const std::string process = "/proc/" + std::to_string(pid_);
    const auto status = os::read_file_if_exists(process + "/status");
    const auto call = os::read_file_if_exists(process + "/syscall");
    if (status && call && os::is_unheeded(*status, *call, signal, service().pid.empty()))
      return os::signal_name(signal);
  } catch (const os::Error&) {
    // It has just ended.
  }
  return std::nullopt;
}

std::optional<Health> Container::health() const {
  if (!health_) return std::nullopt;
  return health_->status();
}

void Container::handle(const LifeEvent& happened) {
  for (const LifeAction& action : machine_.on(happened)) perform(action);
  project_.changed().notify();
}

void Container::perform(const LifeAction& decided) {
  if (std::holds_alternative<action::Launch>(decided)) {
    asio::co_spawn(
        project_.executor(), [self = shared_from_this()] { return self->launch(); },
        asio::detached);
  } else if (const auto* signal = std::get_if<action::Signal>(&decided)) {
    note("kill", {{"signal", std::to_string(signal->signal)}});
    if (link_) link_->send({{"op", "kill"}, {"signal", signal->signal}});
  } else if (std::holds_alternative<action::KillAll>(decided)) {
    note("kill", {{"signal", std::to_string(SIGKILL)}});
    if (link_) link_->send({{"op", "kill"}, {"signal", SIGKILL}, {"all", true}});
  } else if (const auto* grace = std::get_if<action::ArmGrace>(&decided)) {
    arm(grace->delay, event::GraceOver{});
  } else if (const auto* restart = std::get_if<action::ArmRestart>(&decided)) {
    arm(restart->delay, event::RestartDue{});
  } else {
    timer_.cancel();
  }
}

void Container::arm(Duration delay, LifeEvent due) {
  timer_.expires_after(std::chrono::duration_cast<asio::steady_timer::duration>(delay));
  timer_.async_wait([self = weak_from_this(), due](const boost::system::error_code& cancelled) {
    const auto container = self.lock();
    if (!cancelled && container) container->handle(due);
  });
}

Task<> Container::start() {
  if (paused())
    throw os::Error("container " + record_.name +
                    " is paused: cannot start a paused container, try unpause instead");
  record_.stopped_by_user = false;
  handle(event::Start{});
  status_.restart_count = 0;
  while (machine_.state() == ContainerState::starting) co_await project_.changed().wait();
  if (!start_error_.empty()) throw os::Error(start_error_);
}

Task<> Container::stop(std::optional<Duration> grace) {
  if (!active()) {
    if (!record_.stopped_by_user) {
      record_.stopped_by_user = true;
      write_record(project_.paths(), record_);
    }
    co_return;
  }
  if (paused()) co_await unpause();
  record_.stopped_by_user = true;
  write_record(project_.paths(), record_);
  handle(event::Stop{.signal = effective_stop_signal(service(), image_),
                     .grace = grace.value_or(service().grace_period())});
  while (active()) co_await project_.changed().wait();
  if (status_.state == "restarting") {  // it was waiting for its next start
    set_state("exited");
    co_await dismiss_monitor();
    note("die", {{"exitCode", std::to_string(record_.outcome ? record_.outcome->exit_code : 0)}});
  }
  note("stop");
}

Task<> Container::kill(int signal) {
  if (paused() && signal == SIGKILL) co_await unpause();
  handle(event::Kill{signal});
  if (signal != SIGKILL) co_return;
  record_.stopped_by_user = true;
  while (active()) co_await project_.changed().wait();
  if (status_.state == "restarting") {
    set_state("exited");
    co_await dismiss_monitor();
  }
  write_record(project_.paths(), record_);
}

Task<Json> Container::request(Json operation) {
  const auto reply = std::make_shared<Reply>();
  const std::int64_t number = ++sequence_;
  operation["seq"] = number;
  replies_[number] = reply;
  const bool sent = link_ && link_->send(operation);
  const unsigned run = run_;
  while (sent && !reply->data && run == run_ && !ended_) co_await project_.changed().wait();
  replies_.erase(number);
  if (!reply->data) throw os::Error("container " + record_.name + " is not running");
  if (reply->data->value("event", "") == "error")
    throw os::Error("container " + record_.name + ": " + reply->data->value("message", ""));
  co_return *reply->data;
}

Task<> Container::pause() {
  if (status_.state != "running") throw os::Error("container " + record_.name + " is not running");
  Json operation = {{"op", "pause"}};
  co_await request(std::move(operation));
  set_state("paused");
  note("pause");
}

Task<> Container::unpause() {
  if (!paused()) throw os::Error("container " + record_.name + " is not paused");
  Json operation = {{"op", "resume"}};
  co_await request(std::move(operation));
  set_state("running");
  note("unpause");
}

Task<> Container::remove(bool volumes) {
  const std::string id = record_.id;
  if (std::exchange(removing_, true)) {  // it removes itself when it ends
    while (project_.find(id) != nullptr) co_await project_.changed().wait();
    co_return;
  }
  co_await dismiss_monitor();
  co_await project_.fabric().release(record_.short_id());
  auto work = [paths = project_.paths(), record = record_] {
    os::remove_tree(paths.container_run(record.short_id()));
    os::remove_tree(ContainerLayout(paths, record.short_id()).bundle);
    remove_container_directory(paths, record);
  };
  co_await blocking(project_.workers(), std::move(work));
  if (volumes)
    for (const VolumeUse& use : record_.volumes)
      if (use.anonymous && !project_.uses_volume(use.name, id)) project_.volumes().remove(use.name);
  note("destroy");
  project_.forget(id);
}

void Container::set_state(const std::string& state) {
  status_.state = state;
  save_status();
  project_.changed().notify();
}

void Container::save_status() {
  status_.restart_count = machine_.restart_count();
  write_status(project_.paths(), record_.short_id(), status_);
}

void Container::note(const std::string& happened,
                     const std::map<std::string, std::string>& attributes) {
  project_.journal().note(record_, happened, attributes);
}

}  // namespace orchestrator
