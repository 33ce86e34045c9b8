#pragma once

#include "actors/rehearsal/world.hpp"
#include "schemas/alert/alert_protocol.hpp"
#include "schemas/channel/channel_protocol.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace tobit::rehearsal {

/// A rule fired, or failed to judge.
struct fired {
  utc_time at;
  std::string rule_id, exec_id;
  bool failed = false;
  std::string error;
  std::string references; ///< JSON text, as it stands in the execution log
};

/// An alert changed its status, as its rule told the alerting.
struct alert_step {
  utc_time at;
  std::string alert_id, rule_id, rule_name, key, status, severity, summary, reason;
  json labels;
};

/// An alerting decided to tell a channel, or a rule did.
struct notice {
  utc_time at;
  entity_ref by;
  std::string channel;
  channel::send_notice what;
};

/// Something that would have left the house.
struct departure {
  utc_time at;
  entity_ref by;
  std::string type; ///< of the effect: "webhook", "channel_send", …
  json body;
  std::string effect_id;
};

/// A row that alerting or a channel would have written: what was held back and why, what was sent, what died.
struct record_row {
  utc_time at;
  entity_ref by;
  std::string table;
  json columns;
};

/// A record stored by the action `store`.
struct stored {
  utc_time at;
  std::string rule_id, severity, summary;
};

/// What is kept of a course. Everything is counted; only the lists end.
struct course_limits {
  std::size_t listed_max = 10'000;        ///< of each kind
  std::size_t body_bytes_max = 16u << 10; ///< of one body, as JSON
};

/// Writes down what happens in a world, and says how departures end.
class course final : public world_watcher {
public:
  explicit course(const course_limits& limits = {}) : limits_(limits) {}

  /// Decides how a departure ends; the default: well.
  std::function<entity::effect_settled(const outward_effect&)> outcome_of;
  /// From this moment on things are written down; before it they are the past that the state grows from.
  utc_time since = utc_time::min();

  void decided(const entity_ref& who, const message& request, const entity::decision& what, utc_time at) override;
  void refused(const entity_ref& who, const message& request, const error& why, utc_time at) override;
  entity::effect_settled settle(const outward_effect& effect) override;

  struct refusal {
    utc_time at;
    entity_ref who;
    std::string message_name;
    error why;
  };

  template <class T>
  struct listed {
    std::vector<T> list;
    std::size_t total = 0;
    bool complete() const noexcept { return list.size() == total; }
  };
  listed<fired> firings;
  listed<alert_step> alert_steps;
  listed<notice> notices;
  listed<departure> departures;
  listed<record_row> rows;
  listed<stored> records;
  listed<refusal> refusals;

private:
  template <class T>
  void add(listed<T>& to, T&& item) {
    ++to.total;
    if (to.list.size() < limits_.listed_max) to.list.push_back(std::forward<T>(item));
  }
  void take_row(const entity_ref& who, const storage::statement& what, utc_time at);
  void take_alert(const json& told, utc_time at);
  void take_message(const entity_ref& who, const entity::message_effect& wish, utc_time at);

  const course_limits limits_;
};

} // namespace tobit::rehearsal
