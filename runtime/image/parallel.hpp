// Work on many things, a few at a time.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace image {

/// Calls `work(i)` for each i below `count` from up to `parallel` threads. The first failure ends
/// it: what has begun goes on to its end, then it is thrown.
template <typename Work>
void parallel_each(std::size_t count, unsigned parallel, const Work& work) {
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::exception_ptr failure;
  const auto run = [&] {
    for (std::size_t i = 0; (i = next++) < count;) {
      try {
        work(i);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!failure) failure = std::current_exception();
        next = count;
      }
    }
  };
  std::vector<std::thread> threads;
  const std::size_t size = std::min<std::size_t>(std::max(1U, parallel), count);
  for (std::size_t i = 0; i < size; ++i) threads.emplace_back(run);
  for (std::thread& thread : threads) thread.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace image
