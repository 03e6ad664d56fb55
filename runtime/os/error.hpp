// The one exception type for failures: what was tried, on what, and why (errno in words). Mistakes
// in a user's files are not exceptions but diagnostics (see manifests/).
#pragma once

#include <cerrno>
#include <stdexcept>
#include <string>
#include <utility>

namespace os {

/// A failed operation. `what()` reads "CONTEXT: TRIED: REASON", outermost context first.
class Error : public std::runtime_error {
 public:
  /// A failed system call: `errnum` is an errno value, `tried` says what was tried on what.
  Error(int errnum, std::string tried);
  /// A failure that has no errno; `code()` is 0.
  explicit Error(std::string message);

  /// The errno value, 0 when there is none.
  int code() const noexcept { return code_; }

  /// The same error with the unit of work it happened in put in front.
  Error in(const std::string& context) const;

 private:
  Error(int errnum, std::string message, int /*already_formatted*/);
  int code_ = 0;
};

/// The message of errno value `errnum`, e.g. "No space left on device".
std::string errno_text(int errnum);

/// Passes on what a system call returned, or throws Error with errno when that is -1. `describe` is
/// called only on failure.
template <class Result, class Describe>
Result check(Result result, Describe&& describe) {
  if (result == static_cast<Result>(-1)) {
    const int errnum = errno;
    throw Error(errnum, std::forward<Describe>(describe)());
  }
  return result;
}

}  // namespace os
