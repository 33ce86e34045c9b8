#pragma once

#include "actors/rule/subject.hpp"
#include "actors/rule/trigger.hpp"
#include "schemas/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// How a rule comes to verdicts about what it is shown. Pure.
namespace tobit::rule {

/// One thing that a rule is shown: an event that the filters let through, or a reading of a metric.
struct input {
  subject where;
  utc_time time;                       ///< when it happened: the event's own time, or when the metric was read
  utc_time arrived;                    ///< when the rule was shown it
  const event::event* event = nullptr; ///< null for a metric
};

/// What a rule thinks of one of its keys now.
struct key_verdict {
  std::string key; ///< the values of `group_by` as a compact JSON array; empty for a rule without groups
  json labels;     ///< the same for people: {"host": "db-1"}; null without groups
  utc_time at;     ///< the time that the verdict is about
  trigger_verdict verdict;
  /// What a payload says woke the rule: empty: the input that was just taken. Otherwise the name of a member ("window",
  /// "pattern") whose value is `woken_by`; placeholders then look into it and into `labels`.
  std::string_view wake = {};
  json woken_by = nullptr;
};

/// Takes inputs in the order of the log and says what follows. What it remembers is bounded: by keys, by windows, by
/// matches under way; what goes beyond is dropped, counted and shown.
///
/// The same inputs and times in the same order give the same verdicts and the same state, live, after a crash, and in
/// rehearsal. Nothing here looks at a clock.
class evaluator {
public:
  virtual ~evaluator() = default;

  /// Adds the verdicts that change or matter to `out`: at least every match, and for rules with alerts also the first
  /// verdict that is no match any more.
  virtual void take(const input& in, std::vector<key_verdict>& out) = 0;

  /// What the verdict would be if this input were taken now; changes nothing. For simulations and triggers by hand.
  virtual key_verdict preview(const input& in) const = 0;

  /// Time goes on without an input: windows close, absences become certain.
  virtual void advance(utc_time now, std::vector<key_verdict>& out) = 0;

  /// When `advance` should be called next; nothing: no need.
  virtual std::optional<utc_time> wake_at() const = 0;

  /// The state as bytes. `restore` gets what an earlier release wrote for an equal trigger_spec. Errors:
  /// internal_server_error for what is no snapshot.
  virtual std::string snapshot() const = 0;
  virtual result<void> restore(std::string_view snapshot) = 0;

  /// What was taken since the last call, compact, so that a crash loses nothing: the rule journals it. `replay` brings
  /// the same state about without verdicts; it also gets records of earlier releases. Null: nothing to record.
  virtual json drain_record() = 0;
  virtual void replay(const json& record) = 0;

  /// Forgets what was learned: about one group ({"host": "db-1"}), or about all (null). Answers with the number of
  /// keys; is part of the next record. Errors: not_found for an unknown group, validation_error, conflict if nothing is
  /// ever learned.
  virtual result<std::size_t> forget(const json&) {
    return fail(error_code::conflict, "This rule learns no baseline; only rules of the type anomaly do.");
  }

  /// For the console and `anomaly-status`: members that join the rule's view, e.g. {"anomaly": {…}}; bounded.
  virtual json view() const = 0;
};

} // namespace tobit::rule
