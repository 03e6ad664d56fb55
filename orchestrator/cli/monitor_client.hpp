// A connection of a command's own to a container's monitor: for what needs no supervisor.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/paths.hpp"
#include "orchestrator/record.hpp"
#include "runtime/os/channel.hpp"

namespace cli {

class MonitorClient {
 public:
  using Json = nlohmann::json;
  struct Event {
    std::string name;
    Json data;
    std::vector<os::UniqueFd> fds;
  };

  /// Throws os::Error when the container does not run.
  MonitorClient(const orchestrator::Paths& paths, const orchestrator::ContainerRecord& record);

  /// Nothing when nobody listens.
  static std::optional<os::UniqueFd> connect(const orchestrator::Paths& paths,
                                             const std::string& short_id);
  explicit MonitorClient(os::UniqueFd socket) : socket_(std::move(socket)) {}

  int fd() const noexcept { return socket_.get(); }
  void send(const Json& operation, const std::vector<int>& fds = {});
  /// Waits for the next event; nothing when the monitor is gone.
  std::optional<Event> receive();
  /// Sends an operation and waits for its answer. Throws os::Error when it is refused.
  Event ask(const Json& operation);

 private:
  os::UniqueFd socket_;
};

}  // namespace cli
