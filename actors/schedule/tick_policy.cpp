#include "actors/schedule/tick_policy.hpp"

#include <algorithm>
#include <array>
#include <deque>

namespace tobit::schedule {

namespace {

using namespace std::chrono_literals;

bool is_interval(const schedule_spec& spec) { return spec.interval > 0s; }

std::optional<utc_time> after(const due_schedule& at, utc_time t) { return next_due(at.spec, at.anchor, t); }

tick_decision fire(const due_schedule& at, utc_time due, std::int64_t missed) {
  tick_decision decision;
  decision.action = tick_action::fire;
  decision.due = due;
  decision.missed = missed;
  decision.next_due = after(at, due);
  return decision;
}

/// Skips from the next due time up to before `end`.
tick_decision skip_until(const due_schedule& at, const tick_limits& limits, utc_time end, std::string_view reason) {
  tick_decision decision;
  decision.action = tick_action::skip;
  decision.due = at.next_due;
  decision.missed = count_due_times(at.spec, at.anchor, at.next_due, end, limits.count_max) - 1;
  decision.reason = reason;
  decision.next_due = after(at, end - 1us);
  return decision;
}

tick_decision wait(bool in_order) {
  tick_decision decision;
  decision.in_order = in_order;
  return decision;
}

/// One tick after the other, oldest first; what exceeds the schedule's bound is skipped at its old end.
tick_decision work_off(const due_schedule& at, const tick_limits& limits) {
  const auto kept = newest_due_times(at.spec, at.anchor, at.next_due, at.now, at.spec.missed_max);
  auto decision =
      kept.front() > at.next_due ? skip_until(at, limits, kept.front(), "backlog") : fire(at, at.next_due, 0);
  decision.in_order = decision.next_due && *decision.next_due <= at.now;
  return decision;
}

tick_decision apply_missed_policy(const due_schedule& at, const tick_limits& limits) {
  if (at.spec.missed == missed_policy::all) return work_off(at, limits);
  const auto latest = newest_due_times(at.spec, at.anchor, at.next_due, at.now, 1).back();
  const auto before_latest = count_due_times(at.spec, at.anchor, at.next_due, latest, limits.count_max);
  if (at.spec.missed == missed_policy::once) return fire(at, latest, before_latest);
  // Skip what is missed; the latest one may only be late.
  const bool latest_is_missed = at.now - latest > limits.missed_after || latest == at.next_due;
  return skip_until(at, limits, latest_is_missed ? latest + 1us : latest, "missed");
}

} // namespace

tick_decision decide_tick(const due_schedule& at, const tick_limits& limits) {
  const bool missed = at.now - at.fire_at > limits.missed_after && !at.in_order;
  if (at.open > 0) {
    if (at.in_order || (missed && at.spec.overlap != overlap_policy::allow)) return wait(at.in_order);
    if (at.spec.overlap == overlap_policy::queue) return wait(true);
    // The entity ignores what is older than what it has seen, so nothing may overtake a tick that is being repeated.
    if (at.spec.overlap == overlap_policy::allow && at.retrying) return wait(false);
    if (at.spec.overlap == overlap_policy::skip || at.open >= limits.overlapping_max)
      return skip_until(at, limits, at.now + 1us, "overlap");
  }
  if (at.in_order) return work_off(at, limits);
  if (missed) return apply_missed_policy(at, limits);
  return fire(at, at.next_due, 0);
}

std::vector<utc_time> newest_due_times(const schedule_spec& spec, utc_time anchor, utc_time first, utc_time until,
                                       std::size_t count) {
  if (until < first) return {first};
  if (is_interval(spec)) {
    const std::chrono::microseconds step = spec.interval;
    const auto steps = static_cast<std::uint64_t>((until - first) / step);
    const auto kept = std::min<std::uint64_t>(steps + 1, count);
    std::vector<utc_time> due;
    for (auto i = steps + 1 - kept; i <= steps; ++i) due.push_back(first + static_cast<std::int64_t>(i) * step);
    return due;
  }
  // Nobody can walk a cron expression backwards; looking back over growing stretches costs little more than the answer.
  constexpr std::array<std::chrono::hours, 8> stretches{0h, 1h, 6h, 24h, 24h * 7, 24h * 31, 24h * 366, 24h * 366 * 400};
  for (auto stretch : stretches) {
    const auto begin = std::max(first, until - std::max<std::chrono::microseconds>(stretch, 2min));
    std::deque<utc_time> due;
    for (auto t = next_due(spec, anchor, begin - 1us); t && *t <= until; t = next_due(spec, anchor, *t)) {
      due.push_back(*t);
      if (due.size() > count) due.pop_front();
    }
    if (due.size() == count || begin == first) return {due.begin(), due.end()};
  }
  return {first};
}

std::int64_t count_due_times(const schedule_spec& spec, utc_time anchor, utc_time first, utc_time end,
                             std::int64_t count_max) {
  if (end <= first) return 0;
  if (is_interval(spec)) return std::min(count_max, (end - first - 1us) / std::chrono::microseconds{spec.interval} + 1);
  std::int64_t count = 0;
  for (std::optional<utc_time> t = first; t && *t < end && count < count_max; t = next_due(spec, anchor, *t)) ++count;
  return count;
}

} // namespace tobit::schedule
