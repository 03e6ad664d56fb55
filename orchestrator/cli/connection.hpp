// A connection to the supervisor of a project: one request out, events in. Starts the supervisor
// when none listens.
#pragma once

#include <optional>
#include <string>

#include "orchestrator/paths.hpp"
#include "orchestrator/protocol.hpp"
#include "runtime/os/fd.hpp"

namespace cli {

class Connection {
 public:
  using Json = orchestrator::protocol::Json;

  /// Nothing when nobody listens.
  static std::optional<Connection> connect(const orchestrator::Paths& paths,
                                           const std::string& project);
  /// Connects, after starting the supervisor if need be; waits at most five seconds for an earlier
  /// one to end. Throws os::Error with what a supervisor that could not start has said.
  static Connection open(const orchestrator::Paths& paths, const std::string& project);

  /// False when the supervisor is gone.
  bool send(const std::string& operation, const Json& arguments);
  /// Becomes readable when receive() may have something.
  int fd() const noexcept { return socket_.get(); }
  /// Reads what is there without waiting; false at the end of the stream.
  bool receive();
  /// The next event among what was received.
  std::optional<Json> next();
  bool has_event() const { return buffer_.find('\n') != std::string::npos; }
  /// Tells the supervisor that nobody is interested any more; its last events still come.
  void leave();

 private:
  explicit Connection(os::UniqueFd socket) : socket_(std::move(socket)) {}
  os::UniqueFd socket_;
  std::string buffer_;
};

}  // namespace cli
