#include "runtime/image/retry.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <ctime>
#include <string>

namespace image {

bool is_retryable(int status) {
  return status == 0 || status == 408 || status == 429 || status == 500 || status == 502 ||
         status == 503 || status == 504;
}

std::optional<std::chrono::seconds> parse_retry_after(std::string_view text,
                                                      std::chrono::system_clock::time_point now) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  if (text.empty()) return std::nullopt;
  if (text.find_first_not_of("0123456789") == std::string_view::npos) {
    std::int64_t seconds = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (result.ec != std::errc()) return kMaxDelay.count() / 1000 * std::chrono::seconds(1);
    return std::chrono::seconds(seconds);
  }
  std::tm time{};
  const char* end = ::strptime(std::string(text).c_str(), "%a, %d %b %Y %H:%M:%S GMT", &time);
  if (end == nullptr) return std::nullopt;
  const auto when = std::chrono::system_clock::from_time_t(::timegm(&time));
  return std::max(std::chrono::seconds(0),
                  std::chrono::duration_cast<std::chrono::seconds>(when - now));
}

std::chrono::milliseconds retry_delay(int tried, std::optional<std::chrono::seconds> asked,
                                      double random) {
  using std::chrono::milliseconds;
  const double whole = 500.0 * std::pow(2.0, std::clamp(tried, 1, 10) - 1);
  const milliseconds own{
      static_cast<std::int64_t>(whole * (0.5 + std::clamp(random, 0.0, 1.0) / 2))};
  const milliseconds least =
      asked ? milliseconds(std::min<std::chrono::seconds>(*asked, std::chrono::seconds(3600)))
            : milliseconds(0);
  return std::min(std::max(own, least), kMaxDelay);
}

}  // namespace image
