#pragma once

#include "actors/rehearsal/course.hpp"
#include "runtime/storage/database.hpp"
#include "schemas/ids.hpp"
#include "schemas/time.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

/// What did happen, from the node's own records, and how it compares with a rehearsal.
namespace tobit::rehearsal {

/// Something with a time and, where there is one, a key: a firing, an alert, a notice.
struct occurrence {
  utc_time at;
  std::string key; ///< only equal keys can be the same thing; e.g. the alert's key, the channel
  std::string id;  ///< shown
};

/// The two sides of a comparison.
struct matched_occurrences {
  std::size_t both = 0;
  std::vector<occurrence> only_rehearsal, only_live;
};

/// Pairs what lies close together in time. Live decisions come a moment after the event's arrival, and later on a busy
/// node: a live occurrence may be up to `tolerance` after the rehearsed one and a second before it. Each pairs once.
matched_occurrences compare(std::vector<occurrence> rehearsed, std::vector<occurrence> live,
                            std::chrono::microseconds tolerance);

/// Most rows that a comparison reads of each kind; beyond it the report says so.
inline constexpr std::size_t live_rows_max = 20'000;

struct live_history {
  std::vector<occurrence> firings, alerts, notices;
  bool complete = true; ///< false: there was more than `live_rows_max`
};

/// Reads what the rule did by itself in the range (not what people triggered); without `with_alerts` only its firings.
/// Waits. Errors: those of the database.
result<live_history> read_history(storage::database& db, const tenant_id& tenant, const std::string& rule_id,
                                  utc_time from, utc_time to, bool with_alerts);

} // namespace tobit::rehearsal
