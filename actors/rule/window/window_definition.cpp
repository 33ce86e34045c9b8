#include "actors/rule/window/window_definition.hpp"

#include "actors/rule/trigger_definition.hpp"
#include "actors/rule/window/window_spec.hpp"

#include <algorithm>
#include <cmath>
#include <string>

namespace tobit::rule::window {

namespace {

constexpr double days_31 = 31 * 86'400.0;

/// Like `real`, but 0 is a value, too.
double from_zero(field_reader& in, std::string_view name, double max, std::optional<double> otherwise = std::nullopt) {
  const auto value = operand::of(in.any(name));
  if (value.numeric && value.is != operand::type::boolean && value.numeric->approximate() == 0) return 0;
  return in.real(name, 0, max, otherwise);
}

void read_count(field_reader& in, json& out, const std::string& type) {
  for (auto name : {"size_seconds", "slide_seconds", "gap_seconds", "allowed_lateness_seconds", "idle_seconds", "time",
                    "time_field"})
    in.refuse_if_present(name, "A window of 'count' inputs takes them as they come and knows no time; remove this "
                               "field, or give 'size_seconds' instead of 'count'.");
  const auto count = in.integer("count", 1, count_max);
  out["count"] = count;
  out["emit"] = in.choice("emit", {"update", "close"}, type == "sliding" ? "update" : "close");
  if (type != "sliding") return in.refuse_if_present("slide_count", "Only a sliding window slides; remove this field.");
  // As finely as the bound on panes allows, where nothing is said.
  auto slide = (count + panes_max - 1) / panes_max;
  while (count % slide != 0) ++slide;
  slide = in.integer("slide_count", 1, count, slide);
  out["slide_count"] = slide;
  if (count % slide != 0)
    in.refuse("slide_count", "'slide_count' divides 'count' without a rest.");
  else if (count / slide > panes_max)
    in.refuse("slide_count",
              "A window has at most " + std::to_string(panes_max) + " slides; take a larger slide_count.");
}

void read_sliding(field_reader& in, json& out, double size, bool large) {
  const bool given = in.has("slide_seconds");
  // A sixtieth of the window by default; a twelfth where each part holds values.
  const double slide = in.real("slide_seconds", 0, days_31, size / (large ? 12 : 60));
  out["slide_seconds"] = slide;
  out["emit"] = in.choice("emit", {"update", "close"}, given ? "close" : "update");
  const double parts = size / slide;
  if (slide < 0.001)
    in.refuse("slide_seconds", "'slide_seconds' is at least 0.001.");
  else if (slide > size)
    in.refuse("slide_seconds", "'slide_seconds' is at most 'size_seconds'; with gaps between windows inputs would be "
                               "lost.");
  else if (std::abs(parts - std::round(parts)) > 1e-6 * parts)
    in.refuse("slide_seconds", "'size_seconds' is a whole number of times 'slide_seconds'.");
  else if (parts > static_cast<double>(panes_max) + 0.5)
    in.refuse("slide_seconds", "A window has at most " + std::to_string(panes_max) + " slides; take longer ones.");
}

json read_config(verdict& v, const json& spec, const std::string& pointer, bool metric, bool large) {
  field_reader in{v, spec, pointer, "window_config"};
  if (!v.good()) return json::object();
  json out{{"type", in.choice("type", {"tumbling", "sliding", "session"})}};
  const auto type = out["type"].get<std::string>();
  if (in.has("count")) {
    if (type == "session") in.refuse("count", "A session ends by its 'gap_seconds', not by a count.");
    read_count(in, out, type);
    in.close();
    return out;
  }
  in.any("count");
  in.refuse_if_present("slide_count", "'slide_count' belongs to a window of 'count' inputs.");
  if (type == "session") {
    out["gap_seconds"] = in.real("gap_seconds", 0, 86'400);
    out["size_seconds"] = in.real("size_seconds", 0, days_31, 86'400.0);
    out["emit"] = in.choice("emit", {"close", "update"}, "close");
    in.refuse_if_present("slide_seconds", "A session does not slide; remove this field.");
  } else {
    in.refuse_if_present("gap_seconds", "Only a session has a gap; remove this field or take the type 'session'.");
    if (!in.has("size_seconds")) {
      for (auto name : {"size_seconds", "slide_seconds", "time", "time_field", "allowed_lateness_seconds", "emit"})
        in.any(name);
      in.close(); // a misspelt field is the better complaint
      in.refuse("size_seconds", "A window needs a bound: 'size_seconds', or 'count' inputs.");
      return out;
    }
    const double size = in.real("size_seconds", 0, days_31);
    if (size < 0.001) in.refuse("size_seconds", "'size_seconds' is at least 0.001.");
    out["size_seconds"] = size;
    if (type == "sliding") {
      read_sliding(in, out, size, large);
    } else {
      out["emit"] = in.choice("emit", {"close", "update"}, "close");
      in.refuse_if_present("slide_seconds", "Only a sliding window slides; remove this field.");
    }
  }
  out["time"] = in.choice("time", {"event", "arrival"}, metric ? "arrival" : "event");
  if (out["time"] == "event") {
    out["allowed_lateness_seconds"] = from_zero(in, "allowed_lateness_seconds", 86'400, 0.0);
    out["idle_seconds"] = from_zero(in, "idle_seconds", 3'600, 5.0);
    if (in.has("time_field")) out["time_field"] = read_path(in, "time_field");
    in.any("time_field");
  } else {
    for (auto name : {"allowed_lateness_seconds", "idle_seconds", "time_field"})
      in.refuse_if_present(name, "By arrival nothing is late; remove this field, or set 'time' to 'event'.");
  }
  in.close();
  return out;
}

json read_aggregation(verdict& v, const json& spec, const std::string& pointer, const json& around, bool metric) {
  field_reader in{v, spec, pointer, "aggregation"};
  if (!v.good()) return json::object();
  json out{{"type", in.choice("type", {"count", "sum", "avg", "min", "max", "std", "percentile", "distinct", "rate"})}};
  const auto type = out["type"].get<std::string>();
  if (in.has("field"))
    out["field"] = read_path(in, "field");
  else if (metric && type != "count")
    out["field"] = around.value("value_path", "");
  else if (type != "count" && type != "rate")
    in.refuse("field", "'" + type + "' needs the field whose values it is of.");
  in.any("field");
  if (type == "percentile")
    out["percentile_value"] = from_zero(in, "percentile_value", 100);
  else
    in.refuse_if_present("percentile_value", "Only 'percentile' uses this; remove it.");
  auto op = in.choice("op", {">", "<", ">=", "<=", "==", "=", "!="}, around.value("op", ">"));
  if (in.has("threshold")) {
    const auto value = operand::of(in.any("threshold"));
    if (!value.numeric || value.is == operand::type::boolean || !std::isfinite(value.numeric->approximate()))
      in.refuse("threshold", "'threshold' is a number.");
    else
      out["threshold"] = value.numeric->approximate();
  } else if (around.contains("threshold")) {
    out["threshold"] = operand::of(&around["threshold"]).numeric.value_or(number::of(0.0)).approximate();
  }
  in.any("threshold");
  if (out.contains("threshold"))
    out["op"] = op == "=" ? "==" : op;
  else
    in.refuse_if_present("op", "'op' compares with a 'threshold'; give one.");
  in.refuse_if_present("group_by", "'group_by' stands beside 'aggregation', in trigger_spec.");
  in.close();
  return out;
}

} // namespace

void read_window(field_reader& in, json& out, bool metric) {
  const auto* config = in.any("window_config");
  const auto* aggregation = in.any("aggregation");
  if (!config && aggregation)
    in.refuse("aggregation", "An aggregation needs a window to look at; add 'window_config', e.g. {\"type\": "
                             "\"tumbling\", \"size_seconds\": 60}.");
  if (config && !aggregation)
    in.refuse("window_config", "A window needs an 'aggregation' that says what is made of its values, e.g. {\"type\": "
                               "\"count\", \"threshold\": 10}.");
  if (!config || !in.problems().good()) {
    if (!config) in.refuse_if_present("max_keys", "Only a rule with a window remembers keys; remove this field.");
    return;
  }
  auto& v = in.problems();
  out["aggregation"] = read_aggregation(v, *aggregation, in.pointer_to("aggregation"), out, metric);
  if (!v.good()) return;
  const auto type = out["aggregation"]["type"].get<std::string>();
  out["window_config"] =
      read_config(v, *config, in.pointer_to("window_config"), metric, type == "percentile" || type == "distinct");
  out["max_keys"] = in.integer("max_keys", 1, 1'000'000, 10'000);
  if (!v.good()) return;
  const auto& window = out["window_config"];
  if (type == "rate" && (window.contains("count") || window["type"] == "session"))
    v.refuse(pointer_append(in.pointer_to("aggregation"), "type"),
             "A rate needs a window of a fixed length; take 'size_seconds' with the type tumbling or sliding.");
  if (!out["aggregation"].contains("threshold") && window["emit"] == "update")
    v.refuse(pointer_append(in.pointer_to("aggregation"), "threshold"),
             "Without a threshold every input would fire; give one, or set 'emit' to 'close' to hear of each window.");
}

} // namespace tobit::rule::window
