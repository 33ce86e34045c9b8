#define CAF_SUITE rule_messages

#include "schemas/rule/alert_events.hpp"
#include "schemas/rule/rule_events.hpp"
#include "schemas/rule/rule_protocol.hpp"
#include "tests/support/wire_contract.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;
using namespace tobit::rule;

namespace {

event::logged_event sample_event() {
  event::event e;
  e.id = "e1";
  e.source = "/sensors/1";
  e.type = "reading";
  e.subject = "room 3";
  e.time = from_micros(1'763'627'400'123'456);
  e.data = {{"temperature", 95.5}};
  e.attributes = {{"region", "eu"}};
  return {18446744073709551615u, std::make_shared<const event::event>(std::move(e))};
}

/// One sample of each message, with a value in every field.
std::vector<message> samples() {
  return {message::of(run_tick{1'763'627'400'000'000, 2}),
          message::of(tick_done{true}),
          message::of(evaluate_metric{{{"cpu", {{"percent", 93}}}}, "timed out", 1'763'627'400'000'000}),
          message::of(metric_evaluated{true}),
          message::of(evaluate_events{3, {sample_event()}}),
          message::of(events_evaluated{1}),
          message::of(trigger_rule{{{"a", 1}}, "u1", {"r1", "r2"}, "x#0"}),
          message::of(rule_triggered{"d1", true, true, {{"actual", 1}}, "no"}),
          message::of(simulate_rule{{{"a", 1}}, "u1"}),
          message::of(rule_simulated{{{"would_execute", true}}}),
          message::of(watch_rule{1, 2, 3, true}),
          message::of(rule_watched{1, 3}),
          message::of(reset_baseline{{{"host", "db-1"}}}),
          message::of(baseline_reset{1}),
          message::of(rule_fired{1, 2, 3, 4}),
          message::of(offset_advanced{3, 18446744073709551615u}),
          message::of(metric_seen{true}),
          message::of(inputs_taken{7, 42, 0, 1'234, 5, {{"values", {1, 2.5}}}}),
          message::of(baseline_grown{{1, 2.5}}),
          message::of(alerts_moved{{{"sequence", 1}}}),
          message::of(run_begun{{{"exec_id", "d1"}}}),
          message::of(run_moved{"d1", {{{"place", 0}, {"status", "done"}}}}),
          message::of(runs_abandoned{{"d1", "d2"}}),
          message::of(firings_throttled{5, 7}),
          message::of(trigger_taken{"x#0"})};
}

} // namespace

CAF_TEST(the messages of a rule look on the wire as they always did) {
  testing::check_golden(samples(), TOBIT_GOLDEN "/rule_messages.json");
}

CAF_TEST(every message of a rule survives the way over the wire) {
  register_rule_messages();
  testing::check_way_over_the_wire(samples(), "tobit.rule.");
}

CAF_TEST(a message without fields gets the defaults and a malformed one is refused) {
  register_rule_messages();
  for (const auto& m : samples())
    if (!decode_message(m.name(), json::object())) CAF_ERROR(m.name() << " does not take an empty body");
  for (const auto& [name, body] : std::vector<std::pair<const char*, json>>{
           {"tobit.rule.run_tick.v1", {{"due_at_us", "soon"}}},
           {"tobit.rule.evaluate_events.v1", {{"events", {{{"offset", 1}}}}}},
           {"tobit.rule.evaluate_events.v1", {{"events", {{{"offset", 1}, {"event", {{"id", 5}}}}}}}},
           {"tobit.rule.trigger.v1", json::array({1})}})
    if (decode_message(name, body)) CAF_ERROR(name << " takes " << body);
}
