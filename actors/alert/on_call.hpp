#pragma once

#include "actors/rule/field_reader.hpp"
#include "runtime/time/time_zone.hpp"
#include "schemas/json.hpp"
#include "schemas/time.hpp"

#include <optional>
#include <string>
#include <vector>

namespace tobit::alert {

/// Who is on duty and when: people take turns of equal length, and overrides go before the turns. Turns begin at the
/// same reading of the clock on the wall, whatever daylight saving does: a turn from 09:00 to 09:00 is 23 or 25 hours
/// long on such a day. Immutable.
class on_call_schedule {
public:
  struct person {
    std::string name;
    std::vector<std::string> channels;
  };

  /// Precondition: normalised by `read_on_call`.
  explicit on_call_schedule(const json& spec);

  const std::string& id() const noexcept { return id_; }
  /// Null: nobody (before the rotation starts, without an override).
  const person* on_duty(utc_time now) const;
  /// When somebody else may be on duty, the earliest after `now`: the end of the turn or the edge of an override.
  utc_time next_change(utc_time now) const;

private:
  struct stand_in {
    utc_time from, until;
    std::size_t who = 0;
  };
  std::int64_t turn_at(std::chrono::sys_seconds now) const;
  std::chrono::sys_seconds begin_of(std::int64_t turn) const;

  std::string id_;
  std::vector<person> people_;
  time_zone zone_;
  std::chrono::local_seconds start_;
  std::chrono::hours length_;
  std::vector<stand_in> overrides_;
};

json read_on_call(rule::verdict& v, const json& spec, const std::string& pointer);

} // namespace tobit::alert
