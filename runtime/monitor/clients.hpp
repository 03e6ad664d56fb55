// Control connections of a monitor: who is connected, who subscribed, and one JSON object per
// packet in both directions.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "runtime/monitor/event_loop.hpp"
#include "runtime/os/fd.hpp"

namespace monitor {

using ClientId = std::uint64_t;

class Clients {
 public:
  struct Handlers {
    /// A request with its descriptors. What it throws is answered as an error.
    std::function<void(ClientId, const nlohmann::json&, std::vector<os::UniqueFd>)> request;
    std::function<void(ClientId)> closed;
    /// The last subscriber is gone.
    std::function<void()> orphaned;
  };

  Clients(EventLoop& loop, Handlers handlers) : loop_(loop), handlers_(std::move(handlers)) {}
  ~Clients();
  Clients(const Clients&) = delete;
  Clients& operator=(const Clients&) = delete;

  /// Accepts connections of our own user and of root on `listener`.
  void listen(os::UniqueFd listener);
  ClientId adopt(os::UniqueFd socket, bool subscribed);
  void subscribe(ClientId client);
  bool has_subscribers() const;

  /// To everyone that subscribed.
  void broadcast(const nlohmann::json& event);
  /// A client that does not read what it gets is dropped, like one that is gone.
  void send(ClientId client, const nlohmann::json& message, const std::vector<int>& fds = {});

 private:
  struct Client {
    os::UniqueFd socket;
    bool subscribed = false;
  };
  void accept();
  void serve(ClientId client);
  void drop(ClientId client);

  EventLoop& loop_;
  Handlers handlers_;
  os::UniqueFd listener_;
  ClientId next_id_ = 1;
  std::map<ClientId, Client> clients_;
};

}  // namespace monitor
