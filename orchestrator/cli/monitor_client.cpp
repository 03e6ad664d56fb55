#include "orchestrator/cli/monitor_client.hpp"

#include "runtime/container/state.hpp"
#include "runtime/os/error.hpp"

namespace cli {

std::optional<os::UniqueFd> MonitorClient::connect(const orchestrator::Paths& paths,
                                                   const std::string& short_id) {
  return os::connect_channel(container::StatePaths(paths.container_run(short_id)).monitor_socket());
}

MonitorClient::MonitorClient(const orchestrator::Paths& paths,
                             const orchestrator::ContainerRecord& record) {
  auto socket = connect(paths, record.short_id());
  if (!socket) throw os::Error("container " + record.name + " is not running");
  socket_ = std::move(*socket);
}

void MonitorClient::send(const Json& operation, const std::vector<int>& fds) {
  os::send_message(socket_.get(), operation.dump(-1, ' ', false, Json::error_handler_t::replace),
                   fds);
}

std::optional<MonitorClient::Event> MonitorClient::receive() {
  auto message = os::receive_message(socket_.get());
  if (!message) return std::nullopt;
  Event event;
  event.data = Json::parse(message->data, nullptr, false);
  if (!event.data.is_object()) throw os::Error("the container's monitor said what is no event");
  event.name = event.data.value("event", "");
  event.fds = std::move(message->fds);
  return event;
}

MonitorClient::Event MonitorClient::ask(const Json& operation) {
  Json numbered = operation;
  numbered["seq"] = 1;
  send(numbered);
  while (auto event = receive()) {
    if (event->data.value("seq", 0) != 1) continue;
    if (event->name == "error") throw os::Error(event->data.value("message", "it was refused"));
    return std::move(*event);
  }
  throw os::Error("the container's monitor is gone");
}

}  // namespace cli
