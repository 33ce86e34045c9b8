#pragma once

#include "schemas/message.hpp"

#include <cstdint>
#include <string>

/// What can be said to a counter, the smallest kind of entity there is. It lives in the tests and shows what a new kind
/// costs: this header, a folder, one line in the kind table.
namespace tobit::counter {

inline constexpr std::string_view kind_name = "counter";

/// Adds `amount` times the definition's step. Answer: `count_is`.
struct add_to_counter {
  static constexpr std::string_view wire_name = "tobit.counter.add.v1";
  std::int64_t amount = 1;
};
/// Reads without a change. Answer: `count_is`.
struct get_count {
  static constexpr std::string_view wire_name = "tobit.counter.get.v1";
};
struct count_is {
  static constexpr std::string_view wire_name = "tobit.counter.count_is.v1";
  std::int64_t value = 0;
  std::int64_t version = 0; ///< of the definition that counted
};
/// Adds one and lets the world know: one effect "test" per `copies`, with `correlation`. Answer: `count_is`.
struct announce_count {
  static constexpr std::string_view wire_name = "tobit.counter.announce.v1";
  std::int64_t copies = 1;
  std::string correlation;
};
/// Makes the counter fail: "decide" and "apply" throw there, "refuse" answers an error, "row" adds a row that breaks a
/// constraint, "reply" changes nothing and answers nothing.
struct trouble_counter {
  static constexpr std::string_view wire_name = "tobit.counter.trouble.v1";
  std::string how;
};
/// Asks to be woken at `at_us` (UTC microseconds; 0: not any more), together with one count. When it is woken, it adds
/// 100 and wants the next wake `then_us` later (0: none). Answer: `count_is`.
struct alarm_counter {
  static constexpr std::string_view wire_name = "tobit.counter.alarm.v1";
  std::int64_t at_us = 0, then_us = 0;
  bool fails = false; ///< throws when it is woken
};
/// Adds one and wants to hear how its effect of this type ends: it adds 1000 for done and 10000 for failed, once per
/// effect. Answer: `count_is`.
struct report_to_counter {
  static constexpr std::string_view wire_name = "tobit.counter.report_to.v1";
  std::string type;
  json body;
  std::int64_t copies = 1;
  bool report = true; ///< false: it does not want to hear after all
};
/// Event: the count went up.
struct counted {
  static constexpr std::string_view wire_name = "tobit.counter.counted.v1";
  std::int64_t amount = 0;
};
/// Event: the next wake, and what was heard.
struct alarm_set {
  static constexpr std::string_view wire_name = "tobit.counter.alarm_set.v1";
  std::int64_t at_us = 0, then_us = 0;
  bool fails = false;
};
struct report_heard {
  static constexpr std::string_view wire_name = "tobit.counter.report_heard.v1";
  std::string effect_id;
};
/// Event that cannot be applied.
struct poisoned {
  static constexpr std::string_view wire_name = "tobit.counter.poisoned.v1";
};

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(add_to_counter, amount)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(count_is, value, version)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(announce_count, copies, correlation)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(trouble_counter, how)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(counted, amount)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(alarm_counter, at_us, then_us, fails)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(report_to_counter, type, body, copies, report)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(alarm_set, at_us, then_us, fails)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(report_heard, effect_id)
inline void to_json(json& out, const get_count&) { out = json::object(); }
inline void from_json(const json&, get_count&) {}
inline void to_json(json& out, const poisoned&) { out = json::object(); }
inline void from_json(const json&, poisoned&) {}

inline void register_counter_messages() {
  register_messages<add_to_counter, get_count, count_is, announce_count, trouble_counter, counted, poisoned,
                    alarm_counter, report_to_counter, alarm_set, report_heard>();
}

} // namespace tobit::counter
