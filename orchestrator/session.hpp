// One client of the supervisor: reads its request, writes it events.
#pragma once

#include <boost/asio/local/stream_protocol.hpp>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "orchestrator/protocol.hpp"
#include "orchestrator/waiting.hpp"

namespace orchestrator {

class Session : public std::enable_shared_from_this<Session> {
 public:
  using Socket = boost::asio::local::stream_protocol::socket;
  /// `changed` is notified when the client goes away.
  Session(Socket socket, Changed& changed) : socket_(std::move(socket)), changed_(changed) {}

  /// The request line; nothing when the client leaves without one. Throws os::Error when it is no
  /// JSON object.
  Task<std::optional<protocol::Json>> read_request();
  /// Watches for the client to leave, until it does.
  Task<> watch();
  /// The client left, or another command takes the place of its operation.
  bool gone() const { return gone_ || cancelled_; }
  /// Has its operation end as cancelled; `command` takes its place.
  void cancel(const std::string& command) {
    cancelled_ = true;
    replaced_by_ = command;
    changed_.notify();
  }
  /// The command that has taken the place of its operation; empty when none has.
  const std::string& replaced_by() const { return replaced_by_; }

  /// Queues an event; a slow client never holds up the supervisor.
  void send(const protocol::Json& event);
  void progress(const std::string& kind, const std::string& name, const std::string& status,
                bool final = false) {
    send(protocol::progress(kind, name, status, final));
  }
  /// Returns when all that was queued is written, or the client is gone.
  Task<> flush();
  void close();

 private:
  Task<> write_queue();

  Socket socket_;
  Changed& changed_;
  std::deque<std::string> queue_;
  bool writing_ = false;
  bool gone_ = false;
  bool cancelled_ = false;
  std::string replaced_by_;
};

}  // namespace orchestrator
