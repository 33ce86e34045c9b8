#pragma once

#include "schemas/time.hpp"

#include <chrono>
#include <cstdint>

namespace tobit::rule {

/// How often a rule that names no limit may fire within a minute.
inline constexpr std::int64_t firings_per_minute_default = 600;

/// Counts a rule's firings by minutes of the calendar and refuses those beyond a limit, so that a storm costs one row a
/// minute instead of a row, a record and a call each. Not durable: a restart begins the minute anew. Pure.
class firing_throttle {
public:
  /// `per_minute_max`: at least 1.
  explicit firing_throttle(std::int64_t per_minute_max) noexcept : max_(per_minute_max) {}

  /// Counts one firing. False: it is one too many.
  bool admit(utc_time now) noexcept {
    const auto minute = std::chrono::floor<std::chrono::minutes>(now);
    if (minute != minute_) {
      minute_ = minute;
      admitted_ = refused_ = 0;
    }
    if (admitted_ < max_) {
      ++admitted_;
      return true;
    }
    ++refused_;
    return false;
  }

  std::int64_t limit() const noexcept { return max_; }
  /// Refused within the present minute, and that minute.
  std::int64_t refused() const noexcept { return refused_; }
  utc_time minute() const noexcept { return minute_; }

private:
  std::int64_t max_;
  std::chrono::sys_time<std::chrono::minutes> minute_{};
  std::int64_t admitted_ = 0, refused_ = 0;
};

} // namespace tobit::rule
