#include "runtime/image/exclusive.hpp"

#include <chrono>
#include <thread>

namespace image {

std::optional<os::FileLock> wait_exclusive(const Layout& layout) {
  constexpr std::chrono::milliseconds kPause{20};
  constexpr int kTries = 100;
  for (int tried = 1;; ++tried) {
    if (auto lock = layout.try_exclusive()) return lock;
    if (tried == kTries) return std::nullopt;
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace image
