#include "actors/alert/policy_limits.hpp"

#include <algorithm>

namespace tobit::alert {

namespace {
constexpr std::int64_t hour_us = 3'600'000'000;
} // namespace

policy_limits::hold policy_limits::held(const notification_policy& p, const std::string& group, std::int64_t now_us) {
  if (p.cooldown_us > 0)
    if (const auto quiet = told_.find(group); quiet != told_.end() && quiet->second > now_us)
      return {"cooldown", std::min(quiet->second, now_us + p.cooldown_us)};
  if (p.per_hour <= 0) return {};
  const auto sent = hour_.find(p.id);
  if (sent == hour_.end()) return {};
  const auto recent =
      std::count_if(sent->second.begin(), sent->second.end(), [&](std::int64_t at) { return at > now_us - hour_us; });
  if (recent < p.per_hour) return {};
  return {"rate limit", *(sent->second.end() - static_cast<std::ptrdiff_t>(p.per_hour)) + hour_us};
}

void policy_limits::note(const notification_policy& p, const std::string& group, std::int64_t now_us) {
  if (p.cooldown_us > 0) {
    if (told_.size() >= groups_max) {
      std::erase_if(told_, [&](const auto& one) { return one.second <= now_us; });
      if (told_.size() >= groups_max) told_.erase(told_.begin()); // better a notice too many than no bound
    }
    told_[group] = now_us + p.cooldown_us;
  }
  if (p.per_hour <= 0) return;
  auto& sent = hour_[p.id];
  while (!sent.empty() && (sent.front() <= now_us - hour_us || static_cast<std::int64_t>(sent.size()) > p.per_hour))
    sent.pop_front();
  sent.push_back(now_us);
}

void policy_limits::shift(std::int64_t by_us) {
  for (auto& [group, until] : told_) until -= by_us;
  for (auto& [policy, sent] : hour_)
    for (auto& at : sent) at -= by_us;
}

json policy_limits::snapshot() const { return {{"told", told_}, {"hour", hour_}}; }

void policy_limits::restore(const json& snapshot) {
  told_ = snapshot.at("told").get<decltype(told_)>();
  hour_ = snapshot.at("hour").get<decltype(hour_)>();
}

} // namespace tobit::alert
