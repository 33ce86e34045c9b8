#include "schemas/rule/rule_protocol.hpp"

#include "schemas/rule/alert_events.hpp"
#include "schemas/rule/rule_events.hpp"

namespace tobit::rule {

void to_json(json& out, const evaluate_events& m) {
  auto events = json::array();
  for (const auto& e : m.events) events.push_back({{"offset", e.offset}, {"event", event::to_cloudevent(*e.body)}});
  out = json{{"partition", m.partition}, {"events", std::move(events)}};
}

void from_json(const json& in, evaluate_events& m) {
  m.partition = in.value("partition", std::int64_t{0});
  for (const auto& entry : in.value("events", json::array())) {
    auto body = event::from_cloudevent(entry.at("event"));
    if (!body) throw json::other_error::create(501, "event: " + body.error().message, &entry);
    m.events.push_back({entry.at("offset").get<std::uint64_t>(), std::make_shared<event::event>(std::move(*body))});
  }
}

void register_rule_messages() {
  register_messages<run_tick, tick_done, evaluate_metric, metric_evaluated, evaluate_events, events_evaluated,
                    trigger_rule, rule_triggered, simulate_rule, rule_simulated, watch_rule, rule_watched,
                    reset_baseline, baseline_reset, rule_fired, offset_advanced, metric_seen, inputs_taken,
                    baseline_grown, alerts_moved, run_begun, run_moved, runs_abandoned, firings_throttled,
                    trigger_taken>();
}

} // namespace tobit::rule
