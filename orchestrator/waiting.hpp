// How coroutines wait on the supervisor's one thread: for a change of state, and for blocking work
// that a pool does meanwhile.
#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace orchestrator {

template <class Value = void>
using Task = boost::asio::awaitable<Value>;

/// Something that changes, and those who wait for it: `while (!condition) co_await
/// changed.wait();`. All on one thread, so nothing happens between the test and the wait.
class Changed {
 public:
  explicit Changed(const boost::asio::any_io_executor& executor)
      : timer_(executor, std::chrono::steady_clock::time_point::max()) {}

  /// Returns at the next notify().
  Task<> wait() {
    boost::system::error_code ignored;
    co_await timer_.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
  }
  void notify() { timer_.cancel(); }

 private:
  boost::asio::steady_timer timer_;
};

/// Waits until `when`, on the calling coroutine's executor.
inline Task<> sleep_until(std::chrono::steady_clock::time_point when) {
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, when);
  boost::system::error_code ignored;
  co_await timer.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
}

namespace detail {

/// What a piece of blocking work came to.
template <class Value>
struct Result {
  std::exception_ptr failure;
  std::optional<Value> value;
  template <class Function>
  void run(Function& function) {
    try {
      value.emplace(function());
    } catch (...) {
      failure = std::current_exception();
    }
  }
  Value take() {
    if (failure) std::rethrow_exception(failure);
    return std::move(*value);
  }
};

template <>
struct Result<void> {
  std::exception_ptr failure;
  template <class Function>
  void run(Function& function) {
    try {
      function();
    } catch (...) {
      failure = std::current_exception();
    }
  }
  void take() const {
    if (failure) std::rethrow_exception(failure);
  }
};

}  // namespace detail

/// Runs `function` on a thread of `pool` and returns, here, what it returned or threw. It must
/// share no state with this thread while it runs.
template <class Function>
Task<std::invoke_result_t<Function&>> blocking(boost::asio::thread_pool& pool, Function function) {
  detail::Result<std::invoke_result_t<Function&>> result;
  // The frame of this coroutine outlives the work: it is resumed by the handler alone.
  auto initiate = [&pool, &function, &result](auto handler) {
    boost::asio::post(pool, [&function, &result, handler = std::move(handler)]() mutable {
      result.run(function);
      auto executor = boost::asio::get_associated_executor(handler);
      boost::asio::post(executor, std::move(handler));
    });
  };
  co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>&, void()>(
      initiate, boost::asio::use_awaitable);
  co_return result.take();
}

}  // namespace orchestrator
