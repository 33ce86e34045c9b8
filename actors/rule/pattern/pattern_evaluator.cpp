#include "actors/rule/pattern/pattern_evaluator.hpp"

#include "actors/rule/pattern/match_report.hpp"

#include <algorithm>

namespace tobit::rule::pattern {

namespace {

/// Absences are told at the next tenth of a second: many that end together wake the rule once.
constexpr std::int64_t wake_step_us = 100'000;
/// A clock that comes this much later than asked was away, not slow.
constexpr std::int64_t away_us = 2'000'000;

} // namespace

pattern_evaluator::pattern_evaluator(const json& definition, std::chrono::microseconds settles_for)
    : definition_(definition), by_(definition), groups_(by_.group_by), table_(by_), settles_for_(settles_for) {}

// -- events ---------------------------------------------------------------------------------------------------------

void pattern_evaluator::take(const input& in, std::vector<key_verdict>& out) {
  if (!in.event) return; // readings of metrics have no place in patterns
  const auto arrived = to_micros(in.arrived);
  auto time = by_.by_arrival ? std::max(arrived, watermark_us_) : to_micros(in.time);
  if (time > arrived + future_us_max) {
    ++future_;
    return;
  }
  // A sender whose clock is ahead must not end what others are in the middle of.
  const auto watermark = std::max(watermark_us_, std::min(time, arrived) - by_.lateness_us);
  ++unrecorded_;
  const auto glance = by_.look(in.where);
  if (glance.fits == 0 && !(by_.strict && glance.shown)) {
    moved_ |= move_on(watermark, &complete_);
  } else {
    groups_.read(in.where, key_);
    const sighting seen{by_, *in.event, time, glance.fits};
    if (accept(key_, seen, watermark, &complete_)) remember(key_, seen, watermark);
  }
  if (!complete_.empty()) tell(out);
}

bool pattern_evaluator::accept(std::string_view key, const sighting& seen, std::int64_t watermark_us,
                               std::vector<complete_match>* out) {
  // What the watermark has passed is judged at once; whether it is late is a matter of its key.
  if (by_.lateness_us > 0 && seen.time_us > std::max(watermark_us_, watermark_us)) {
    waiting_.emplace(event_order{seen.time_us, ++arrivals_},
                     waiting_event{std::string(key), arrivals_, {seen.time_us, seen.fits, seen.what()}});
    // Too many: the oldest is judged now, as if its time had come.
    if (waiting_.size() > buffered_events_max) watermark_us = std::max(watermark_us, waiting_.begin()->first.first);
    move_on(watermark_us, out);
    return true;
  }
  const bool moved = move_on(watermark_us, out);
  return table_.judge(key, seen, out) || moved;
}

/// In the order of time: events that waited are judged, and what is over by then is over.
bool pattern_evaluator::move_on(std::int64_t watermark_us, std::vector<complete_match>* out) {
  if (watermark_us <= watermark_us_) return false;
  watermark_us_ = watermark_us;
  bool changed = false;
  while (!waiting_.empty() && waiting_.begin()->first.first <= watermark_us) {
    const auto next = std::move(waiting_.extract(waiting_.begin()).mapped());
    table_.pass(next.seen.time_us, out);
    table_.judge(next.key, next.seen, out);
    changed = true;
  }
  return table_.pass(watermark_us, out) || changed;
}

void pattern_evaluator::tell(std::vector<key_verdict>& out) {
  for (const auto& match : complete_) {
    auto& told = out.emplace_back();
    told.key = groups_.text_of(match.key);
    told.labels = groups_.labels_of(match.key);
    told.at = from_micros(match.ended_us);
    told.wake = "pattern";
    told.woken_by = to_document(by_, match);
    told.verdict = to_verdict(by_, match, told.woken_by, told.labels);
  }
  complete_.clear();
}

// -- time -----------------------------------------------------------------------------------------------------------

std::optional<std::int64_t> pattern_evaluator::next_due_us() const {
  std::optional<std::int64_t> due;
  if (by_.waits && !table_.deadlines().empty()) due = table_.deadlines().top().deadline_us + 1;
  if (!waiting_.empty()) due = std::min(due.value_or(waiting_.begin()->first.first), waiting_.begin()->first.first);
  if (due) *due += by_.lateness_us;
  return due;
}

std::optional<utc_time> pattern_evaluator::wake_at() const {
  const auto due = next_due_us();
  if (!due) return std::nullopt;
  const auto at = std::max(*due, settled_at_us_);
  const auto rest = ((at % wake_step_us) + wake_step_us) % wake_step_us;
  return from_micros(rest == 0 ? at : at + wake_step_us - rest);
}

void pattern_evaluator::advance(utc_time now, std::vector<key_verdict>& out) {
  const auto clock = to_micros(now);
  if (const auto due = next_due_us(); away_ && due && clock > *due + away_us)
    settled_at_us_ = clock + settles_for_.count();
  away_ = false;
  if (clock < settled_at_us_) return;
  settled_at_us_ = 0;
  moved_ |= move_on(clock - by_.lateness_us, &complete_);
  if (!complete_.empty()) tell(out);
}

} // namespace tobit::rule::pattern
