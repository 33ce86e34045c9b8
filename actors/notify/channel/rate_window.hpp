#pragma once

#include "schemas/json.hpp"
#include "schemas/time.hpp"

#include <cstdint>
#include <deque>
#include <utility>

namespace tobit::notify {

/// How often something happened within the last while: counted in 60 slices, so that memory is bounded whatever the
/// limit is. The oldest slice counts as a whole, which errs by a sixtieth to the safe side. A clock that is set back
/// forgets nothing.
class rate_window {
public:
  explicit rate_window(std::chrono::microseconds length) : slice_us_(length.count() / slices) {}

  std::int64_t count(utc_time now) const noexcept;
  void add(utc_time now);

  json to_json() const; ///< pairs of slice and count
  void restore(const json& pairs);

private:
  static constexpr std::int64_t slices = 60;
  std::int64_t slice_us_;
  std::deque<std::pair<std::int64_t, std::int64_t>> counts_; ///< slice since 1970, count; rising
};

} // namespace tobit::notify
