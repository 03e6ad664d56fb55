// The requests that a monitor serves.
#include <fcntl.h>
#include <signal.h>

#include <nlohmann/json.hpp>

#include "runtime/container/spec_json.hpp"
#include "runtime/monitor/hold.hpp"
#include "runtime/os/error.hpp"

namespace monitor {

namespace {

nlohmann::json with_sequence(nlohmann::json reply, const nlohmann::json& request) {
  if (request.contains("seq")) reply["seq"] = request["seq"];
  return reply;
}

nlohmann::json stats_json(const container::CgroupStats& stats) {
  nlohmann::json json = {{"event", "stats"}};
  const auto put = [&json](const char* name, const std::optional<std::uint64_t>& value) {
    if (value) json[name] = *value;
  };
  put("cpu_usage_usec", stats.cpu_usage_usec);
  put("cpu_user_usec", stats.cpu_user_usec);
  put("cpu_system_usec", stats.cpu_system_usec);
  put("cpu_throttled_usec", stats.cpu_throttled_usec);
  put("cpu_throttled_periods", stats.cpu_throttled_periods);
  put("memory_usage", stats.memory_usage);
  put("memory_inactive_file", stats.memory_inactive_file);
  put("memory_limit", stats.memory_limit);
  put("memory_peak", stats.memory_peak);
  put("swap_usage", stats.swap_usage);
  put("pids_current", stats.pids_current);
  put("pids_limit", stats.pids_limit);
  put("io_read_bytes", stats.io_read_bytes);
  put("io_write_bytes", stats.io_write_bytes);
  put("io_reads", stats.io_reads);
  put("io_writes", stats.io_writes);
  put("oom_kills", stats.oom_kills);
  return json;
}

}  // namespace

void Monitor::require(container::Status status, const char* what) const {
  if (state_.status != status)
    throw os::Error("cannot " + std::string(what) + ": the container is " +
                    std::string(container::status_name(state_.status)));
}

void Monitor::require_running(const char* what) const {
  if (state_.status != container::Status::paused) require(container::Status::running, what);
  if (exit_) throw os::Error("cannot " + std::string(what) + ": the container is stopping");
}

void Monitor::request(ClientId client, const nlohmann::json& request,
                      std::vector<os::UniqueFd> fds) {
  if (control(client, request, fds)) {
    // Who numbers its requests wants to know; "kill" is always answered.
    if (request.contains("seq") || request.at("op") == "kill")
      clients_.send(client, with_sequence({{"event", "ok"}}, request));
    return;
  }
  if (request.at("op") == "exec") return exec(client, request, std::move(fds));
  if (request.at("op") == "attach") return attach(client, request);
  query(client, request);
}

bool Monitor::control(ClientId client, const nlohmann::json& request,
                      std::vector<os::UniqueFd>& fds) {
  const std::string op = request.value("op", std::string());
  if (op == "start") {
    start(std::move(fds), request);
  } else if (op == "kill") {
    kill(request);
  } else if (op == "pause") {
    pause();
  } else if (op == "resume") {
    resume();
  } else if (op == "resize") {
    if (!stdio_) throw os::Error("cannot resize: the container has failed");
    stdio_->resize(request.at("rows").get<std::uint32_t>(),
                   request.at("cols").get<std::uint32_t>());
  } else if (op == "exec_kill") {
    execs_.kill(client, request.at("exec").get<std::string>(), request.value("signal", SIGKILL));
  } else if (op == "release") {
    release();
  } else {
    return false;
  }
  return true;
}

void Monitor::query(ClientId client, const nlohmann::json& request) {
  const std::string op = request.at("op").get<std::string>();
  nlohmann::json reply;
  if (op == "subscribe") {
    clients_.subscribe(client);
    reply = container::state_to_json(state_);
    reply["event"] = "state";
  } else if (op == "stats") {
    if (!cgroup_) throw os::Error("cannot tell stats: the container has no control group");
    reply = stats_json(cgroup_->stats());
  } else if (op == "processes") {
    reply = {{"event", "processes"},
             {"pids", cgroup_ ? cgroup_->processes() : std::vector<pid_t>()}};
  } else {
    throw os::Error("unknown operation '" + op + "'");
  }
  clients_.send(client, with_sequence(std::move(reply), request));
}

void Monitor::kill(const nlohmann::json& request) {
  const int signal = request.at("signal").get<int>();
  if (signal < 0 || signal > SIGRTMAX) throw os::Error(EINVAL, "send that signal");
  if (!init_ || !cgroup_) throw os::Error(ESRCH, "signal a container that does not run");
  if (!request.value("all", false)) {
    init_.pidfd().send_signal(signal);
  } else if (signal == SIGKILL) {
    cgroup_->kill_all();
  } else {
    cgroup_->signal_all(signal);
  }
}

void Monitor::pause() {
  require(container::Status::running, "pause");
  if (exit_) throw os::Error("cannot pause: the container is stopping");
  cgroup_->freeze();
  state_.status = container::Status::paused;
  save();
  clients_.broadcast({{"event", "paused"}});
}

void Monitor::resume() {
  require(container::Status::paused, "resume");
  cgroup_->thaw();
  state_.status = container::Status::running;
  save();
  clients_.broadcast({{"event", "resumed"}});
}

void Monitor::exec(ClientId client, const nlohmann::json& request, std::vector<os::UniqueFd> fds) {
  const std::string name = request.at("exec").get<std::string>();
  try {
    require_running("exec");
    ExecRequest description;
    description.init = init_.pid();
    description.pidfd = &init_.pidfd();
    description.cgroup = &*cgroup_;
    container::Process process = container::process_from_json(request.at("process"));
    process.terminal = request.value("tty", process.terminal);
    description.program = exec_program(process, defaults_);
    if (request.value("privileged", false)) description.program.filter.clear();
    for (std::size_t stream = 0; stream < description.streams.size(); ++stream)
      description.streams[stream] =
          stream < fds.size() ? std::move(fds[stream]) : os::open_file("/dev/null", O_RDWR);
    const Execs::Started started =
        execs_.start(client, name, request.value("keep", false), description);
    std::vector<int> sent;
    if (started.terminal) sent.push_back(started.terminal.get());
    clients_.send(
        client,
        with_sequence({{"event", "exec_started"}, {"exec", name}, {"pid", started.pid}}, request),
        sent);
  } catch (...) {
    const Failure failure = current_failure(Stage::validate);
    clients_.send(client, with_sequence({{"event", "exec_failed"},
                                         {"exec", name},
                                         {"message", failure.message},
                                         {"exit_code", failure.exit_code()}},
                                        request));
  }
}

void Monitor::attach(ClientId client, const nlohmann::json& request) {
  if (!stdio_ || exit_ || state_.status == container::Status::failed)
    throw os::Error("cannot attach: the container does not run");
  const os::UniqueFd stream = stdio_->attach(request.value("ends_input", true));
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  const std::int64_t at = std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
  clients_.send(client, with_sequence({{"event", "attached"}, {"at", at}}, request),
                {stream.get()});
}

void Monitor::open_relays(const nlohmann::json& request, std::vector<os::UniqueFd> sockets) {
  const nlohmann::json wanted = request.value("relays", nlohmann::json::array());
  if (wanted.size() + request.value("hold", std::size_t{0}) != sockets.size())
    throw os::Error("start: the number of sockets is not that of relays and reservations");
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const SocketAddress to = SocketAddress::parse(wanted[i].at("to").get<std::string>());
    if (wanted[i].at("protocol") == "udp") {
      relays_.push_back(relay_udp(loop_, std::move(sockets[i]), to));
    } else {
      relays_.push_back(relay_tcp(loop_, std::move(sockets[i]), to));
    }
  }
  for (std::size_t i = wanted.size(); i < sockets.size(); ++i)
    reservations_.push_back(std::move(sockets[i]));
}

}  // namespace monitor
