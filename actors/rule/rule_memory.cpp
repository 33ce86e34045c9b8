#include "actors/rule/rule_memory.hpp"

#include "schemas/rule/rule_events.hpp"

#include <xxhash.h>

#include <algorithm>

namespace tobit::rule {

namespace {

/// Repetitions come within the retries of one message, while this many others are taken.
constexpr std::size_t deliveries_max = 512;

std::uint64_t mark_of(const std::string& delivery_id) { return XXH3_64bits(delivery_id.data(), delivery_id.size()); }

} // namespace

bool rule_memory::knows(const std::string& delivery_id) const {
  return !delivery_id.empty() &&
         std::find(deliveries.begin(), deliveries.end(), mark_of(delivery_id)) != deliveries.end();
}

void rule_memory::apply(const message& event) {
  runs.apply(event);
  if (const auto* e = event.as<rule_fired>()) {
    fired += e->firings;
    last_fired_at_us = e->at_us;
    last_due_at_us = std::max(last_due_at_us, e->due_at_us);
    if (e->observed_at_us != 0) last_observed_at_us = e->observed_at_us;
  } else if (const auto* o = event.as<offset_advanced>()) {
    auto& offset = offsets[o->partition];
    offset = std::max(offset, o->offset);
  } else if (const auto* m = event.as<metric_seen>()) {
    metric_matched = m->matched;
  } else if (const auto* left_out = event.as<firings_throttled>()) {
    throttled += left_out->firings;
  } else if (const auto* t = event.as<trigger_taken>()) {
    deliveries.push_back(mark_of(t->delivery_id));
    if (deliveries.size() > deliveries_max) deliveries.pop_front();
  } else if (const auto* i = event.as<inputs_taken>()) {
    inputs_sequence = std::max(inputs_sequence, i->sequence);
    if (i->observed_at_us != 0) last_observed_at_us = i->observed_at_us;
    if (i->partition < 0) return;
    auto& offset = offsets[i->partition];
    offset = std::max(offset, i->offset);
  }
}

std::string to_snapshot(const rule_memory& memory, std::string_view evaluator, std::uint64_t trigger,
                        std::string_view alerts) {
  auto offsets = json::object();
  for (const auto& [partition, offset] : memory.offsets) offsets[std::to_string(partition)] = offset;
  json out{{"v", 1},
           {"fired", memory.fired},
           {"last_fired_at_us", memory.last_fired_at_us},
           {"last_due_at_us", memory.last_due_at_us},
           {"last_observed_at_us", memory.last_observed_at_us},
           {"offsets", std::move(offsets)},
           {"trigger", trigger}};
  if (memory.metric_matched) out["metric_matched"] = true;
  if (memory.inputs_sequence > 0) out["inputs_sequence"] = memory.inputs_sequence;
  if (memory.throttled > 0) out["throttled"] = memory.throttled;
  if (auto runs = memory.runs.snapshot(); !runs.is_null()) out["runs"] = std::move(runs);
  if (!memory.deliveries.empty()) out["deliveries"] = memory.deliveries;
  auto text = to_text(out);
  if (!alerts.empty()) {
    text.back() = ','; // instead of the closing brace
    text.append("\"alerts\":").append(alerts).append(1, '}');
  }
  if (!evaluator.empty()) text.append(1, '\n').append(evaluator);
  return text;
}

result<rule_snapshot> from_snapshot(std::string_view snapshot, std::uint64_t trigger) {
  rule_snapshot out;
  if (snapshot.empty()) return out;
  const auto line = snapshot.find('\n'); // compact JSON holds none
  const auto in = parse_json(snapshot.substr(0, line));
  if (!in || !in->is_object() || in->value("v", json()) != 1)
    return fail(error_code::internal_server_error,
                "The rule's snapshot cannot be read; a newer release may have written it.");
  try {
    auto& memory = out.memory;
    memory.fired = in->value("fired", std::int64_t{0});
    memory.last_fired_at_us = in->value("last_fired_at_us", std::int64_t{0});
    memory.last_due_at_us = in->value("last_due_at_us", std::int64_t{0});
    memory.last_observed_at_us = in->value("last_observed_at_us", std::int64_t{0});
    memory.inputs_sequence = in->value("inputs_sequence", std::int64_t{0});
    memory.throttled = in->value("throttled", std::int64_t{0});
    memory.runs.restore(in->value("runs", json()));
    memory.deliveries = in->value("deliveries", std::deque<std::uint64_t>{});
    const auto offsets = in->value("offsets", json::object());
    for (const auto& [partition, offset] : offsets.items())
      memory.offsets[std::stoll(partition)] = offset.get<std::uint64_t>();
    out.alerts = in->value("alerts", json());
    if (in->value("trigger", std::uint64_t{0}) == trigger) {
      memory.metric_matched = in->value("metric_matched", false);
      out.baseline = in->value("baseline", std::vector<double>{});
      if (line != std::string_view::npos) out.evaluator = snapshot.substr(line + 1);
    }
  } catch (const std::exception&) { // json::exception, or a partition that is no number
    return fail(error_code::internal_server_error, "The rule's snapshot is damaged.");
  }
  return out;
}

} // namespace tobit::rule
