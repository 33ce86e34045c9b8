#pragma once

#include "schemas/json.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tobit::rule {

/// Where an alert of one key stands. A key without a record is inactive.
enum class alert_status : std::uint8_t {
  pending, ///< matches, but not long enough, or it is held back (cooldown, rate)
  firing,
  resolved ///< remembered for its cooldown and for recognising flapping
};
std::string_view to_string(alert_status status) noexcept;

/// What a rule remembers of one key. Times are microseconds UTC; 0: never.
struct alert_record {
  std::string key;
  std::string alert_id; ///< from the first match to the resolution
  alert_status status = alert_status::pending;
  std::int64_t change = 0; ///< rises by one with each change that is told
  std::int64_t started_us = 0, fired_us = 0, resolved_us = 0;
  std::int64_t matched_us = 0; ///< the latest match, as exactly as it has to be known
  std::int64_t cleared_us = 0; ///< since when it does not match any more, while it still fires
  std::int64_t hold_us = 0;    ///< pending until then at least: cooldown or rate
  bool rated = false;          ///< held back by the rule's rate
  bool flapping = false;
  std::vector<std::int64_t> turns; ///< when it began and ceased to match, within the window for flapping
  json labels;                     ///< of the key, for people
  json values;                     ///< what was compared with what at the latest change
  std::string summary, exec_id, trace_id;

  bool operator==(const alert_record&) const = default;
};

/// Compact; absent members have their defaults. `from_json` throws json::exception on what is no record.
void to_json(json& out, const alert_record& r);
void from_json(const json& in, alert_record& r);
void write_text(std::string& out, const alert_record& r);

} // namespace tobit::rule
