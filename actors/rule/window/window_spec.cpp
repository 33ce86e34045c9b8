#include "actors/rule/window/window_spec.hpp"

#include <cmath>

namespace tobit::rule::window {

namespace {

std::int64_t micros(const json& config, const char* name) { return std::llround(config.at(name).get<double>() * 1e6); }

} // namespace

bool window_spec::holds(double value) const noexcept {
  switch (op) {
  case comparison_op::greater:
    return value > threshold;
  case comparison_op::less:
    return value < threshold;
  case comparison_op::greater_equal:
    return value >= threshold;
  case comparison_op::less_equal:
    return value <= threshold;
  case comparison_op::not_equal:
    return value != threshold;
  default:
    return value == threshold;
  }
}

window_spec window_spec::of(const json& trigger_spec, bool all_verdicts) {
  const auto& config = trigger_spec.at("window_config");
  const auto& aggregation = trigger_spec.at("aggregation");
  window_spec out;
  out.all_verdicts = all_verdicts;
  const auto& type = config.at("type").get_ref<const std::string&>();
  out.type = type == "sliding"   ? window_type::sliding
             : type == "session" ? window_type::session
                                 : window_type::tumbling;
  out.on_update = config.at("emit") == "update";
  out.counted = config.contains("count");
  if (out.counted) {
    const auto count = config.at("count").get<std::int64_t>();
    out.pane = out.type == window_type::sliding ? config.at("slide_count").get<std::int64_t>() : count;
    out.panes = count / out.pane;
  } else {
    out.by_arrival = config.at("time") == "arrival";
    if (!out.by_arrival) {
      out.lateness = micros(config, "allowed_lateness_seconds");
      out.idle = micros(config, "idle_seconds");
    }
    if (out.type == window_type::session) {
      out.gap = micros(config, "gap_seconds");
      out.longest = micros(config, "size_seconds");
    } else {
      const auto size = micros(config, "size_seconds");
      out.pane = out.type == window_type::sliding ? micros(config, "slide_seconds") : size;
      out.panes = (size + out.pane / 2) / out.pane;
    }
  }
  out.kind = parse_aggregate_kind(aggregation.at("type").get_ref<const std::string&>()).value();
  if (out.kind == aggregate_kind::percentile) out.q = aggregation.at("percentile_value").get<double>() / 100;
  out.has_threshold = aggregation.contains("threshold");
  if (out.has_threshold) {
    out.op = parse_comparison_op(aggregation.at("op").get_ref<const std::string&>()).value();
    out.threshold = aggregation.at("threshold").get<double>();
  }
  out.keys_max = trigger_spec.at("max_keys").get<std::size_t>();
  return out;
}

} // namespace tobit::rule::window
