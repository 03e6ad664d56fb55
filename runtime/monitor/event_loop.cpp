#include "runtime/monitor/event_loop.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <array>

#include "runtime/os/error.hpp"

namespace monitor {

EventLoop::EventLoop()
    : epoll_(os::check(::epoll_create1(EPOLL_CLOEXEC),
                       [] { return std::string("make an epoll descriptor"); })) {}

void EventLoop::control(int operation, int fd, std::uint32_t events, std::uint64_t token) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = token;
  os::check(::epoll_ctl(epoll_.get(), operation, fd, &event),
            [&] { return "watch descriptor " + std::to_string(fd); });
}

void EventLoop::add(int fd, std::uint32_t events, Handler handler) {
  const std::uint64_t token = next_token_++;
  control(EPOLL_CTL_ADD, fd, events, token);
  watches_[fd] = Watch{token, std::make_shared<Handler>(std::move(handler))};
  by_token_[token] = fd;
}

void EventLoop::modify(int fd, std::uint32_t events) {
  const auto watch = watches_.find(fd);
  if (watch != watches_.end()) control(EPOLL_CTL_MOD, fd, events, watch->second.token);
}

void EventLoop::remove(int fd) {
  const auto watch = watches_.find(fd);
  if (watch == watches_.end()) return;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  by_token_.erase(watch->second.token);
  watches_.erase(watch);
}

EventLoop::TimerId EventLoop::after(std::chrono::milliseconds delay, std::function<void()> action) {
  const TimerId id = next_token_++;
  timers_.emplace(Clock::now() + delay, Timer{id, std::move(action)});
  return id;
}

void EventLoop::cancel(TimerId timer) {
  const auto found = std::find_if(timers_.begin(), timers_.end(),
                                  [&](const auto& entry) { return entry.second.id == timer; });
  if (found != timers_.end()) timers_.erase(found);
}

int EventLoop::milliseconds_to_next() const {
  if (timers_.empty()) return -1;
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(timers_.begin()->first - Clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000));
}

void EventLoop::run_due_timers() {
  const auto now = Clock::now();
  while (!timers_.empty() && timers_.begin()->first <= now) {
    const auto action = std::move(timers_.begin()->second.action);
    timers_.erase(timers_.begin());
    action();
  }
}

void EventLoop::run() {
  running_ = true;
  while (running_) {
    std::array<epoll_event, 32> events;
    const int count =
        ::epoll_wait(epoll_.get(), events.data(), events.size(), milliseconds_to_next());
    if (count < 0 && errno != EINTR) throw os::Error(errno, "wait for events");
    for (int i = 0; i < count && running_; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      const auto fd = by_token_.find(event.data.u64);
      if (fd == by_token_.end()) continue;
      const auto handler = watches_.at(fd->second).handler;  // kept while it may remove itself
      (*handler)(event.events);
    }
    if (running_) run_due_timers();
  }
}

}  // namespace monitor
