#pragma once

#include "runtime/entity/entity_logic.hpp"
#include "schemas/rule/rule_protocol.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace tobit::rule {

/// Who watches a rule judge, and how much of it he may still see. What is beyond the budget of a second is counted and
/// said with the next item.
class rule_watch {
public:
  /// The only question that a rule without watchers asks.
  bool on() const noexcept { return until_us_ != 0; }

  rule_watched begin(const watch_rule& wish, utc_time now);

  /// When the watch is over, if it is on.
  std::optional<utc_time> until() const;

  /// Ends the watch, and says so in `out`, when its time or budget is over. False: it is over, or was not on.
  bool goes_on(const std::string& rule_id, utc_time now, entity::decision& out);

  /// True if this evaluation may be shown.
  bool admits(const std::string& rule_id, bool matched, utc_time now, entity::decision& out);

  /// Publishes an evaluation that was admitted.
  void show(const std::string& rule_id, bool matched, json item, entity::decision& out);

private:
  std::int64_t until_us_ = 0, per_second_max_ = 0, left_ = 0;
  std::int64_t second_ = 0, in_second_ = 0, left_out_ = 0;
  bool all_ = false, matched_ = false; ///< which topics somebody wants
};

} // namespace tobit::rule
