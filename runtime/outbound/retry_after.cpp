#include "runtime/outbound/retry_after.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <string>

namespace tobit::outbound {

std::chrono::milliseconds retry_after(const http_response& response, utc_time now) {
  using namespace std::chrono;
  const std::string text(response.header("retry-after"));
  if (text.empty()) return {};
  std::int64_t pause_s = 0;
  if (std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), pause_s);
    if (failure != std::errc{}) return retry_after_max; // more than fits
  } else {
    const auto date = curl_getdate(text.c_str(), nullptr);
    if (date < 0) return {};
    pause_s = date - floor<seconds>(now).time_since_epoch().count();
  }
  return std::clamp<seconds>(seconds{pause_s}, seconds{0}, duration_cast<seconds>(retry_after_max));
}

} // namespace tobit::outbound
