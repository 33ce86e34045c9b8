#include "actors/rule/debug/rule_watch.hpp"

#include <algorithm>

namespace tobit::rule {

namespace {

constexpr std::int64_t second_us = 1'000'000, longest_us = 3'600 * second_us;
constexpr std::int64_t per_second_limit = 1'000, total_limit = 100'000;

} // namespace

rule_watched rule_watch::begin(const watch_rule& wish, utc_time now) {
  const auto now_us = to_micros(now);
  if (until_us_ < now_us) *this = {};
  until_us_ = std::max(until_us_, std::clamp(wish.until_us, now_us, now_us + longest_us));
  per_second_max_ = std::max(per_second_max_, std::clamp<std::int64_t>(wish.per_second_max, 1, per_second_limit));
  left_ = std::max(left_, std::clamp<std::int64_t>(wish.total_max, 1, total_limit));
  (wish.only_matched ? matched_ : all_) = true;
  return {until_us_, left_};
}

std::optional<utc_time> rule_watch::until() const {
  if (!on()) return std::nullopt;
  return from_micros(until_us_);
}

bool rule_watch::goes_on(const std::string& rule_id, utc_time now, entity::decision& out) {
  if (!on()) return false;
  if (to_micros(now) < until_us_ && left_ > 0) return true;
  const json why{{"reason", left_ <= 0 ? "budget" : "time"}, {"left_out", left_out_}};
  if (all_) out.publications.push_back({debug_topic(rule_id, false), why, "expired"});
  if (matched_) out.publications.push_back({debug_topic(rule_id, true), why, "expired"});
  *this = {};
  return false;
}

bool rule_watch::admits(const std::string& rule_id, bool matched, utc_time now, entity::decision& out) {
  if (!goes_on(rule_id, now, out)) return false;
  const auto now_us = to_micros(now);
  if (!all_ && !matched) return false;
  if (now_us / second_us != second_) {
    second_ = now_us / second_us;
    in_second_ = 0;
  }
  if (++in_second_ > per_second_max_) {
    ++left_out_;
    return false;
  }
  --left_;
  return true;
}

void rule_watch::show(const std::string& rule_id, bool matched, json item, entity::decision& out) {
  item["left_out"] = left_out_;
  left_out_ = 0;
  if (matched && matched_) out.publications.push_back({debug_topic(rule_id, true), item, "evaluation"});
  if (all_) out.publications.push_back({debug_topic(rule_id, false), std::move(item), "evaluation"});
}

} // namespace tobit::rule
