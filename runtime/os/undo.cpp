#include "runtime/os/undo.hpp"

#include <exception>

namespace os {

void Undo::run() noexcept {
  while (!steps_.empty()) {
    const auto step = std::move(steps_.back());
    steps_.pop_back();
    try {
      step();
    } catch (const std::exception&) {
      // The failure that caused the rollback is the one to report.
    }
  }
}

}  // namespace os
