#pragma once

#include "actors/alert/notification_policy.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace tobit::alert {

/// How often policies have told lately: the cooldown of one group, and the notices of an hour.
class policy_limits {
public:
  /// What holds a notice back at this moment.
  struct hold {
    std::string_view reason; ///< "cooldown" | "rate limit"; empty: nothing
    std::int64_t until_us = 0;
  };
  hold held(const notification_policy& p, const std::string& group, std::int64_t now_us);
  void note(const notification_policy& p, const std::string& group, std::int64_t now_us);
  /// The clock was set back.
  void shift(std::int64_t by_us);

  json snapshot() const;
  void restore(const json& snapshot);

private:
  static constexpr std::size_t groups_max = 20'000;

  std::map<std::string, std::int64_t> told_; ///< by group: until when it is quiet
  std::map<std::string, std::deque<std::int64_t>> hour_;
};

} // namespace tobit::alert
