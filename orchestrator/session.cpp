#include "orchestrator/session.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "runtime/os/error.hpp"

namespace orchestrator {

namespace asio = boost::asio;

Task<std::optional<protocol::Json>> Session::read_request() {
  std::string line;
  boost::system::error_code failed;
  const std::size_t size =
      co_await asio::async_read_until(socket_, asio::dynamic_buffer(line, protocol::kMaxLine), '\n',
                                      asio::redirect_error(asio::use_awaitable, failed));
  if (failed) co_return std::nullopt;
  line.resize(size);
  protocol::Json request = protocol::Json::parse(line, nullptr, false);
  if (!request.is_object()) throw os::Error("the request is no JSON object");
  co_return request;
}

Task<> Session::watch() {
  const auto self = shared_from_this();
  std::array<char, 256> buffer;
  boost::system::error_code failed;
  while (!failed)
    co_await socket_.async_read_some(asio::buffer(buffer),
                                     asio::redirect_error(asio::use_awaitable, failed));
  gone_ = true;
  changed_.notify();
}

void Session::send(const protocol::Json& event) {
  if (gone_) return;
  queue_.push_back(event.dump(-1, ' ', false, protocol::Json::error_handler_t::replace) + "\n");
  if (writing_) return;
  writing_ = true;
  asio::co_spawn(
      socket_.get_executor(), [self = shared_from_this()] { return self->write_queue(); },
      asio::detached);
}

Task<> Session::write_queue() {
  boost::system::error_code failed;
  while (!queue_.empty() && !failed) {
    const std::string line = std::move(queue_.front());
    queue_.pop_front();
    co_await asio::async_write(socket_, asio::buffer(line),
                               asio::redirect_error(asio::use_awaitable, failed));
  }
  if (failed) {
    gone_ = true;
    queue_.clear();
  }
  writing_ = false;
  changed_.notify();
}

Task<> Session::flush() {
  while (writing_ && !gone_) co_await changed_.wait();
}

void Session::close() {
  boost::system::error_code ignored;
  socket_.close(ignored);
}

}  // namespace orchestrator
