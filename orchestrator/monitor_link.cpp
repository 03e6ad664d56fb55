#include "orchestrator/monitor_link.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "runtime/os/error.hpp"

namespace orchestrator {

namespace asio = boost::asio;

MonitorLink::MonitorLink(const asio::any_io_executor& executor, os::UniqueFd socket)
    : socket_(executor) {
  os::set_nonblocking(socket.get());
  socket_.assign(socket.release());
}

namespace {

/// The next packet if there is one; `ended` when the peer has closed.
std::optional<os::Message> try_receive(int socket, bool& ended) {
  try {
    auto message = os::receive_message(socket);
    ended = !message;
    return message;
  } catch (const os::Error& error) {
    if (error.code() != EAGAIN) throw;
    return std::nullopt;
  }
}

}  // namespace

Task<std::optional<MonitorEvent>> MonitorLink::receive() {
  while (socket_.is_open()) {
    bool ended = false;
    auto message = try_receive(socket_.native_handle(), ended);
    if (ended) co_return std::nullopt;
    if (message) {
      MonitorEvent event;
      event.data = Json::parse(message->data);
      event.name = event.data.value("event", "");
      event.fds = std::move(message->fds);
      co_return event;
    }
    boost::system::error_code failed;
    co_await socket_.async_wait(asio::posix::stream_descriptor::wait_read,
                                asio::redirect_error(asio::use_awaitable, failed));
    if (failed) co_return std::nullopt;
  }
  co_return std::nullopt;
}

bool MonitorLink::send(const Json& operation, const std::vector<int>& fds) {
  if (!socket_.is_open()) return false;
  try {
    os::send_message(socket_.native_handle(), operation.dump(), fds);
    return true;
  } catch (const os::Error& error) {
    if (error.code() == EPIPE || error.code() == ECONNRESET) return false;
    throw;
  }
}

void MonitorLink::close() {
  boost::system::error_code ignored;
  socket_.close(ignored);
}

}  // namespace orchestrator
