#pragma once

#include "actors/rule/field_reader.hpp"
#include "runtime/time/time_zone.hpp"
#include "schemas/json.hpp"
#include "schemas/time.hpp"

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace tobit::alert {

/// Weekly times in which a policy tells nobody: `{"days": ["sat", "sun"], "from": "22:00", "to": "06:00"}`. The times
/// are readings of the clock on the wall in the time zone; `to` before `from` is on the next day, and the days are
/// those on which it begins.
class mute_times {
public:
  mute_times() = default;
  /// Precondition: normalised by `read_mute_times`.
  explicit mute_times(const json& specs);

  bool empty() const noexcept { return all_.empty(); }
  /// The end of the mute time that `now` is in, also over several that follow each other; nothing: it is in none.
  std::optional<utc_time> muted_until(utc_time now) const;

private:
  struct span {
    std::array<bool, 7> days{}; ///< from Sunday
    std::chrono::minutes from{0}, length{0};
    time_zone zone;
  };
  static std::optional<utc_time> end_of(const span& s, utc_time now);
  std::vector<span> all_;
};

json read_mute_times(rule::verdict& v, const json* list, const std::string& pointer);

} // namespace tobit::alert
