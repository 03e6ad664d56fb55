#include "runtime/os/error.hpp"

#include <cstring>

namespace os {

Error::Error(int errnum, std::string tried)
    : std::runtime_error(std::move(tried) + ": " + errno_text(errnum)), code_(errnum) {}

Error::Error(std::string message) : std::runtime_error(std::move(message)) {}

Error::Error(int errnum, std::string message, int /*already_formatted*/)
    : std::runtime_error(std::move(message)), code_(errnum) {}

Error Error::in(const std::string& context) const {
  return Error(code_, context + ": " + what(), 0);
}

std::string errno_text(int errnum) {
  char buffer[128];
  return ::strerror_r(errnum, buffer, sizeof buffer);
}

}  // namespace os
