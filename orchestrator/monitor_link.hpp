// The supervisor's end of the socket to one container's monitor.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/record.hpp"
#include "orchestrator/waiting.hpp"
#include "runtime/os/channel.hpp"

namespace orchestrator {

/// One event of the monitor, with the descriptors that came along.
struct MonitorEvent {
  std::string name;
  Json data;
  std::vector<os::UniqueFd> fds;
};

class MonitorLink {
 public:
  MonitorLink(const boost::asio::any_io_executor& executor, os::UniqueFd socket);

  /// The next event; nothing when the monitor is gone. One reader at a time.
  Task<std::optional<MonitorEvent>> receive();
  /// Sends one operation. Returns false when the monitor is gone.
  bool send(const Json& operation, const std::vector<int>& fds = {});
  void close();

 private:
  boost::asio::posix::stream_descriptor socket_;
};

}  // namespace orchestrator
