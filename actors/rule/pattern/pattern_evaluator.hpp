#pragma once

#include "actors/rule/evaluator.hpp"
#include "actors/rule/group_by.hpp"
#include "actors/rule/pattern/match_table.hpp"

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace tobit::rule::pattern {

/// Finds patterns over several events, per key. What a pattern means, and which event is late: docs/patterns.md.
///
/// Time is the watermark: the latest event's time (never ahead of its arrival) or the clock, less the allowed lateness.
/// Without allowed lateness an event is judged at once; with it, events wait until the watermark reaches them and are
/// then judged in the order of their times.
class pattern_evaluator final : public evaluator {
public:
  /// How long absences wait whose time was over while the rule was away: the log may hold what they were waiting for.
  static constexpr std::chrono::seconds settling{5};

  /// Precondition: `definition` is a normalised rule of the type "pattern". Throws json::exception if it is not.
  explicit pattern_evaluator(const json& definition, std::chrono::microseconds settles_for = settling);

  void take(const input& in, std::vector<key_verdict>& out) override;
  /// An event: whether it would complete a match with those under way. A payload that is a list of events, or has one
  /// as `events` (and an optional `until`): whether they match on their own, from nothing; see docs/patterns.md.
  key_verdict preview(const input& in) const override;
  void advance(utc_time now, std::vector<key_verdict>& out) override;
  std::optional<utc_time> wake_at() const override;
  std::string snapshot() const override;
  result<void> restore(std::string_view snapshot) override;
  json drain_record() override;
  void replay(const json& record) override;
  json view() const override;

  const match_figures& figures() const noexcept { return table_.figures(); }

private:
  struct waiting_event {
    std::string key;
    std::uint64_t sequence = 0;
    sighting seen;
  };
  using event_order = std::pair<std::int64_t, std::uint64_t>; ///< time, then arrival

  /// The way of an event that the filters let through; true if it changed something but the watermark.
  bool accept(std::string_view key, const sighting& seen, std::int64_t watermark_us, std::vector<complete_match>* out);
  bool move_on(std::int64_t watermark_us, std::vector<complete_match>* out);
  void tell(std::vector<key_verdict>& out);
  void remember(std::string_view key, const sighting& seen, std::int64_t watermark_us);
  json row_of(std::string_view key, const sighting& seen) const;
  std::optional<std::pair<std::string, sighting>> event_of(const json& row,
                                                           const std::vector<std::size_t>& fields) const;
  std::vector<std::size_t> field_places(const json& names) const;
  json field_names() const;
  std::optional<std::int64_t> next_due_us() const;

  json definition_;
  compiled_pattern by_;
  group_by groups_;
  match_table table_;
  std::int64_t watermark_us_ = std::numeric_limits<std::int64_t>::min();
  std::map<event_order, waiting_event> waiting_; ///< for late ones, if lateness is allowed
  std::uint64_t arrivals_ = 0;

  std::vector<complete_match> complete_; ///< kept for its memory
  std::string key_;                      ///< kept for its memory
  std::string record_;                   ///< packed, see `remember`
  bool moved_ = false;                   ///< time alone changed something since the last record
  std::int64_t unrecorded_ = 0;          ///< events since the last record
  std::int64_t future_ = 0;
  std::chrono::microseconds settles_for_;
  bool away_ = false;              ///< restored, and nothing has told the time since
  std::int64_t settled_at_us_ = 0; ///< absences that were due while the rule was away are told then; 0: none waits
};

} // namespace tobit::rule::pattern
