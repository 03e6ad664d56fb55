// The health of a running container: a probe after another, as the machine says.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>

#include "orchestrator/container.hpp"
#include "orchestrator/project.hpp"
#include "orchestrator/translate.hpp"
#include "runtime/container/bundle.hpp"
#include "runtime/container/spec_json.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/fd.hpp"

namespace orchestrator {

namespace asio = boost::asio;

namespace {

constexpr std::size_t kKeptOutput = 4096;
constexpr std::size_t kKeptProbes = 5;

}  // namespace

/// A probe that is under way.
struct Container::ProbeRun {
  explicit ProbeRun(const asio::any_io_executor& executor)
      : deadline(executor), output_end(executor) {}
  asio::steady_timer deadline;
  asio::posix::stream_descriptor output_end;
  std::string output;
  std::optional<int> code;
  bool drained = false;
};

namespace {

/// Reads all that the probe writes, so that it never blocks, and keeps the begin.
template <class Run>
Task<> drain(std::shared_ptr<Run> run) {
  std::array<char, 4096> buffer;
  boost::system::error_code failed;
  while (!failed) {
    const std::size_t n = co_await run->output_end.async_read_some(
        asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, failed));
    if (run->output.size() < kKeptOutput)
      run->output.append(buffer.data(), std::min(n, kKeptOutput - run->output.size()));
  }
  run->drained = true;
  run->deadline.cancel();
}

}  // namespace

Json Container::process_for_exec(const std::vector<std::string>& arguments) const {
  const container::Spec spec =
      container::read_bundle(ContainerLayout(project_.paths(), record_.short_id()).bundle);
  container::Process process = *spec.process;
  process.args = arguments;
  process.terminal = false;
  return Json::parse(container::process_to_json(process).dump());
}

Task<> Container::watch_health(unsigned run) {
  const auto current = [&] { return run == run_ && !ended_ && health_; };
  // The same for all probes of a run: the bundle is read once.
  Json process;
  while (current()) {
    co_await sleep_until(health_->next_probe());
    while (current() && paused()) co_await project_.changed().wait();
    if (!current()) co_return;
    ProbeResult result;
    std::string failure;
    try {
      if (process.is_null()) process = process_for_exec(health_check_->arguments);
      result = co_await probe(process);
    } catch (const std::exception& error) {
      failure = error.what();
    }
    if (!current()) co_return;
    if (!failure.empty()) result = {timestamp_now(), timestamp_now(), -1, failure};
    const int code = result.exit_code;
    status_.probes.push_back(std::move(result));
    if (status_.probes.size() > kKeptProbes) status_.probes.erase(status_.probes.begin());
    const bool changed = health_->probe_finished(code == 0, Clock::now());
    const std::string text(to_string(health_->status()));
    // A healthy container that stays so is not worth a write for every probe.
    const bool worth_writing = changed || code != 0 || status_.failing_streak != 0;
    status_.health = text;
    status_.failing_streak = health_->failing_streak();
    if (worth_writing) save_status();
    if (changed) {
      note("health_status: " + text);
      project_.changed().notify();
    }
  }
}

Task<ProbeResult> Container::probe(Json process) {
  ProbeResult result{.started_at = timestamp_now()};
  const std::string id = "probe-" + std::to_string(++probe_count_);
  const auto run = std::make_shared<ProbeRun>(project_.executor());
  os::Pipe pipe = os::make_pipe();
  const os::UniqueFd null = os::open_file("/dev/null", O_RDONLY);
  Json operation = {{"op", "exec"},
                    {"exec", id},
                    {"process", std::move(process)},
                    {"tty", false},
                    {"keep", false}};
  if (!link_ || !link_->send(operation, {null.get(), pipe.write.get(), pipe.write.get()}))
    throw os::Error("the container does not run");
  pipe.write.reset();
  os::set_nonblocking(pipe.read.get());
  run->output_end.assign(pipe.read.release());
  probes_[id] = run;
  asio::co_spawn(project_.executor(), drain(run), asio::detached);

  const Duration timeout = health_check_->timing.timeout;
  const TimePoint deadline = Clock::now() + timeout;
  while (!run->code && Clock::now() < deadline) {
    run->deadline.expires_at(deadline);
    boost::system::error_code ignored;
    co_await run->deadline.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  if (!run->code) {
    if (link_) link_->send({{"op", "exec_kill"}, {"exec", id}, {"signal", SIGKILL}});
    const auto seconds = std::chrono::duration<double>(timeout).count();
    char text[64];
    std::snprintf(text, sizeof text, "Health check exceeded timeout (%gs)", seconds);
    run->output = text;
  }
  // What it wrote may still be in the pipe; a process that it left behind keeps the pipe open.
  boost::system::error_code ignored;
  if (run->code && !run->drained) {
    run->deadline.expires_after(std::chrono::milliseconds(5));
    co_await run->deadline.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  run->output_end.close(ignored);
  probes_.erase(id);
  result.exit_code = run->code.value_or(-1);
  result.output = run->output;
  result.finished_at = timestamp_now();
  co_return result;
}

void Container::on_exec_event(const MonitorEvent& event) {
  const auto found = probes_.find(event.data.value("exec", ""));
  if (found == probes_.end()) return;
  ProbeRun& run = *found->second;
  if (event.name == "exec_failed") {
    run.code = event.data.value("exit_code", 126);
    run.output = event.data.value("message", "");
  } else if (event.name == "exec_exited") {
    run.code = event.data.value("code", -1);
  }
  if (run.code) run.deadline.cancel();
}

}  // namespace orchestrator
