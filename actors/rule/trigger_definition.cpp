#include "actors/rule/trigger_definition.hpp"

#include "actors/rule/condition.hpp"
#include "actors/rule/group_by.hpp"
#include "actors/rule/pattern/pattern_definition.hpp"
#include "actors/rule/series_definition.hpp"
#include "actors/rule/window/window_definition.hpp"
#include "runtime/time/cron.hpp"
#include "schemas/redaction.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace tobit::rule {

namespace {

constexpr std::string_view needs_patterns = "Patterns over several events have a trigger_type of their own: 'pattern'.";
constexpr std::string_view needs_enrichment = "Enrichment is not available in this release; remove this field.";
constexpr std::string_view needs_no_window =
    "Only rules of the types event and metric look at windows; remove this field.";
constexpr std::string_view needs_alerts =
    "Alert states are not available in this release; every match fires. Remove this "
    "field.";

/// What the contract knows and later releases bring: refused with a reason instead of being stored without effect.
void refuse_later_features(field_reader& in) {
  in.refuse_if_present("enrichments", needs_enrichment);
  in.refuse_if_present("window", "A window is written as 'window_config'.");
  for (auto name : {"pattern", "sequence", "absence"}) in.refuse_if_present(name, needs_patterns);
  for (auto name : {"for", "for_seconds", "hysteresis", "cooldown_seconds"}) in.refuse_if_present(name, needs_alerts);
}

/// Each combination of these values is judged by itself.
void read_groups(field_reader& in, json& out) {
  auto paths = in.texts("group_by", {1, field_path_length_max}, group_by_max);
  const auto* given = in.any("group_by");
  for (std::size_t i = 0; i < paths.size() && in.problems().good(); ++i) {
    const auto at = given->is_array() ? pointer_append(in.pointer_to("group_by"), i) : in.pointer_to("group_by");
    if (const auto fault = field_path::fault_of(paths[i]); !fault.empty())
      in.problems().refuse(at, std::string(fault));
    else if (std::find(paths.begin(), paths.begin() + static_cast<std::ptrdiff_t>(i), paths[i]) !=
             paths.begin() + static_cast<std::ptrdiff_t>(i))
      in.problems().refuse(at, "'" + paths[i] + "' stands twice in 'group_by'.");
  }
  if (!paths.empty()) out["group_by"] = std::move(paths);
}

json read_schedule(field_reader& in) {
  refuse_later_features(in);
  in.refuse_if_present("group_by", "A schedule has nothing to group; remove this field.");
  for (auto name : {"window_config", "aggregation", "max_keys"}) in.refuse_if_present(name, needs_no_window);
  json out{{"missed", in.choice("missed", {"skip", "once", "all"}, "once")},
           {"missed_max", in.integer("missed_max", 1, 1'000, 100)},
           {"overlap", in.choice("overlap", {"skip", "queue", "allow"}, "skip")},
           {"jitter_seconds", in.integer("jitter_seconds", 0, 3'600, 0)}};
  const auto cron = in.text("cron", {1, 200}, std::string{});
  const auto interval = in.integer("interval_seconds", 1, 31'536'000, 0);
  // The rule's own zone is not copied here: changing it later must change the schedule.
  if (in.has("timezone")) out["timezone"] = read_time_zone(in, "timezone");
  in.any("timezone");
  if (in.has("cron")) { // with both, cron wins, as it always did
    if (const auto parsed = parse_cron(cron); !parsed) in.refuse("cron", parsed.error().message);
    out["cron"] = cron;
  } else if (in.has("interval_seconds")) {
    out["interval_seconds"] = interval;
    if (out["jitter_seconds"].get<std::int64_t>() >= interval && in.has("jitter_seconds"))
      in.refuse("jitter_seconds", "The jitter is shorter than the interval, so that ticks stay in order.");
  } else {
    in.close(); // a misspelt field is the better complaint
    in.problems().refuse(in.pointer(),
                         "A schedule needs 'cron' (5 fields, or 6 with seconds first) or 'interval_seconds'.");
  }
  return out;
}

/// Where the number stands in a reading: for series it need not be said.
void read_value_path(field_reader& in, json& out, bool series) {
  if (series && !in.has("value_path")) {
    in.any("value_path");
    out["value_path"] = "value";
  } else {
    out["value_path"] = read_path(in, "value_path");
  }
}

/// The fields that say what is read and how often; shared by metric and anomaly. True if readings are series.
bool read_poll(field_reader& in, json& out, const outbound::guard_options& guard) {
  out["poll_interval_seconds"] = in.integer("poll_interval_seconds", 1, 86'400, 30);
  if (out["source"] == "host") {
    for (auto name : {"endpoint", "method", "params", "headers", "timeout_ms"})
      in.refuse_if_present(name,
                           "The source 'host' reads the machine itself and takes no request; remove this field, or "
                           "use the source 'runtime'.");
    return read_series(in, out);
  }
  out["endpoint"] = read_endpoint(in, guard);
  out["method"] = in.choice("method", {"GET", "POST"}, "GET");
  out["params"] = read_params(in);
  out["headers"] = read_headers(in);
  out["timeout_ms"] = in.integer("timeout_ms", 100, 30'000, 5'000);
  return in.problems().good() && read_series(in, out);
}

std::string read_poll_source(field_reader& in, const std::vector<std::string_view>& sources, std::string otherwise) {
  auto source = in.choice("source", sources, std::move(otherwise));
  return source == "http" ? "runtime" : source;
}

json read_metric(field_reader& in, const outbound::guard_options& guard) {
  refuse_later_features(in);
  json out{{"source", read_poll_source(in, {"runtime", "http", "host", "probe", "prometheus"}, "runtime")}};
  read_value_path(in, out, read_poll(in, out, guard));
  const bool windowed = in.has("window_config") || in.has("aggregation");
  if (!windowed || in.has("op")) {
    auto op = in.choice("op", {">", "<", ">=", "<=", "==", "=", "!="}, "==");
    out["op"] = op == "=" ? "==" : op;
  }
  in.any("op");
  const auto* threshold = windowed ? in.any("threshold") : in.needed("threshold");
  const auto value = operand::of(threshold);
  if (threshold && (!value.numeric || threshold->is_boolean()))
    in.refuse("threshold", "'threshold' is a number.");
  else if (threshold)
    out["threshold"] = value.numeric->to_json();
  out["fire"] = in.choice("fire", {"always", "on_change"}, "always");
  read_groups(in, out);
  if (out.contains("group_by") && out["fire"] == "on_change")
    in.refuse("group_by", "'fire: on_change' knows one verdict for the whole rule; give the rule an 'alert' section to "
                          "follow each group's changes.");
  window::read_window(in, out, true);
  if (windowed && out["fire"] == "on_change")
    in.refuse("fire", "A window tells of changes by 'emit: update'; remove this field.");
  return out;
}

void read_filters(field_reader& in, json& out) {
  auto types = in.texts("types", {1, 200}, 50);
  const auto single = in.text("event_type", {1, 200}, std::string{});
  if (!single.empty() && std::find(types.begin(), types.end(), single) == types.end()) types.push_back(single);
  out["types"] = types;
  out["sources"] = in.texts("sources", {1, 500}, 50);
}

json read_event(field_reader& in) {
  refuse_later_features(in);
  auto out = json::object();
  read_filters(in, out);
  read_groups(in, out);
  window::read_window(in, out, false);
  std::size_t count = 0;
  if (in.has("conditions")) {
    for (auto name : {"field", "op", "value", "case_sensitive"})
      in.refuse_if_present(name, "Write either one comparison (field, op, value) or a list of 'conditions', not both.");
    json group{{"conditions", *in.any("conditions")}};
    if (const auto* logic = in.any("logic")) group["logic"] = *logic;
    out.update(read_condition(in.problems(), group, in.pointer(), count));
  } else if (in.has("field")) {
    in.refuse_if_present("logic", "'logic' combines a list of 'conditions'; remove it from a single comparison.");
    in.any("conditions");
    auto single = json::object();
    for (auto name : {"field", "op", "case_sensitive"})
      if (const auto* given = in.any(name)) single[name] = *given;
    if (in.present("value"))
      single["value"] = in.raw("value");
    else
      in.needed("value");
    in.any("value");
    out.update(read_condition(in.problems(), single, in.pointer(), count));
  } else {
    for (auto name : {"op", "value", "case_sensitive"})
      in.refuse_if_present(name, "A comparison needs the 'field' that it looks at.");
    in.refuse_if_present("logic", "'logic' combines a list of 'conditions'.");
    for (auto name : {"field", "conditions"}) in.any(name);
    in.close(); // a misspelt field is the better complaint
    const bool asks_nothing = out["types"].empty() && out["sources"].empty();
    if (asks_nothing || (takes_all(out["types"]) && takes_all(out["sources"]) && !in.present("window_config")))
      in.problems().refuse(in.pointer(),
                           "This rule would fire on every event. Give it 'field', 'op' and 'value', a list of "
                           "'conditions', or the event 'types' or 'sources' it is for.");
  }
  return out;
}

json read_anomaly_config(verdict& v, const json& spec, const std::string& pointer, const std::string& method,
                         bool fixed) {
  field_reader in{v, spec, pointer, "anomaly_config"};
  const std::int64_t fewest = method == "iqr" ? 4 : 2;
  auto out = json::object();
  if (method == "iqr")
    out["multiplier"] = in.real("multiplier", 0, 1'000, 1.5);
  else
    out["threshold"] = in.real("threshold", 0, 1'000, 3.0);
  if (method == "ema") out["alpha"] = in.real("alpha", 0, 1, 0.3);
  for (auto name : {"multiplier", "threshold", "alpha"}) {
    if (!out.contains(name))
      in.refuse_if_present(name, "The method '" + method + "' does not use this; remove it or choose another method.");
  }
  out["min_samples"] = in.integer("min_samples", fewest, 1'000, fixed ? fewest : 20);
  out["baseline_max"] = in.integer("baseline_max", fewest, 1'000, 1'000);
  if (out["baseline_max"] < out["min_samples"])
    in.refuse("baseline_max", "'baseline_max' is at least 'min_samples', or no verdict would ever be reached.");
  out["seasonality"] = in.choice("seasonality", {"none", "hour_of_day", "hour_of_week"}, "none");
  if (fixed && out["seasonality"] != "none")
    in.refuse("seasonality", "Given 'baseline_values' know no hours; remove one of the two.");
  out["exclude_anomalies"] = in.flag("exclude_anomalies", true);
  out["shift_after"] = in.integer("shift_after", fewest, 1'000, std::max<std::int64_t>(fewest, 20));
  in.close();
  return out;
}

json read_anomaly(field_reader& in, const outbound::guard_options& guard) {
  refuse_later_features(in);
  for (auto name : {"window_config", "aggregation"}) in.refuse_if_present(name, needs_no_window);
  auto method = in.choice("anomaly_method", {"zscore", "iqr", "ema"}, "zscore");
  json out{{"source", read_poll_source(in, {"payload", "runtime", "http", "host", "probe", "prometheus"}, "payload")},
           {"anomaly_method", method}};
  bool series = false;
  if (out["source"] == "payload") {
    read_filters(in, out);
    for (auto name : {"endpoint", "method", "params", "headers", "timeout_ms", "poll_interval_seconds", "query",
                      "format", "selector", "reduce"})
      in.refuse_if_present(
          name, "The source 'payload' takes values from events; set 'source' to 'runtime' or 'host' to poll.");
    if (out["types"].empty() && out["sources"].empty())
      in.problems().refuse(in.pointer(), "Give the event 'types' or 'sources' whose values are watched.");
  } else {
    for (auto name : {"types", "event_type", "sources"})
      in.refuse_if_present(name, "Only the source 'payload' takes values from events; remove this field.");
    series = read_poll(in, out, guard);
  }
  read_value_path(in, out, series);
  read_groups(in, out);
  for (auto name : {"exclude_anomalies", "shift_after", "seasonality", "min_samples", "baseline_max", "threshold",
                    "multiplier", "alpha"})
    in.refuse_if_present(name, "This belongs into 'anomaly_config'.");
  out["max_keys"] = in.integer("max_keys", 1, 1'000'000, 10'000);
  auto values = json::array();
  if (const auto* given = in.any("baseline_values")) {
    if (!given->is_array() || given->size() > 1'000)
      in.refuse("baseline_values", "'baseline_values' is a list of at most 1000 numbers.");
    else
      for (std::size_t i = 0; i < given->size(); ++i) {
        const auto value = operand::of(&(*given)[i]);
        if (value.is == operand::type::number && value.numeric)
          values.push_back(value.numeric->approximate());
        else
          in.problems().refuse(pointer_append(in.pointer_to("baseline_values"), i), "A baseline value is a number.");
      }
  }
  const auto* config = in.any("anomaly_config");
  out["anomaly_config"] = read_anomaly_config(in.problems(), config ? *config : json::object(),
                                              in.pointer_to("anomaly_config"), method, !values.empty());
  const auto fewest = out["anomaly_config"]["min_samples"].get<std::size_t>();
  if (!values.empty() && values.size() < fewest)
    in.refuse("baseline_values",
              "The method '" + method + "' needs at least " + std::to_string(fewest) + " baseline values here.");
  out["baseline_values"] = std::move(values);
  return out;
}

bool is_token(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) || std::string_view("!#$%&'*+-.^_`|~").find(static_cast<char>(c)) != std::string_view::npos;
  });
}

} // namespace

std::string read_path(field_reader& reader, std::string_view name) {
  auto path = reader.text(name, {1, field_path_length_max});
  if (reader.problems().good())
    if (const auto fault = field_path::fault_of(path); !fault.empty()) reader.refuse(name, std::string(fault));
  return path;
}

std::string read_time_zone(field_reader& reader, std::string_view name, std::optional<std::string> otherwise) {
  auto zone = reader.text(name, {1, 64}, std::move(otherwise));
  if (reader.problems().good())
    if (const auto known = find_time_zone(zone); !known) reader.refuse(name, known.error().message, known.error().code);
  return zone;
}

std::string read_endpoint(field_reader& reader, const outbound::guard_options& guard) {
  auto url = reader.text("endpoint", {1, 2'000});
  if (!reader.problems().good()) return url;
  // A path means this node itself; only its form can be wrong.
  const bool own = url.front() == '/' && !url.starts_with("//");
  if (const auto checked = outbound::check_url(guard, own ? "https://example.org" + url : url); !checked)
    reader.refuse("endpoint", std::string(checked.error().text()), checked.error().code);
  return url;
}

json read_params(field_reader& reader) {
  auto params = reader.table("params", 50, 2'000, true);
  for (const auto& [name, value] : params.items())
    if (value == redacted && is_secret_name(name))
      reader.problems().refuse(pointer_append(reader.pointer_to("params"), name),
                               "'***' stands for a value that is not shown; write the value of '" + name + "' itself.");
  return params;
}

json read_headers(field_reader& reader) {
  auto headers = reader.table("headers", 50, 4'000, false);
  constexpr std::array ours{"host", "content-length", "transfer-encoding", "connection",  "upgrade",
                            "te",   "trailer",        "idempotency-key",   "traceparent", "tracestate"};
  for (const auto& [name, value] : headers.items()) {
    const auto at = pointer_append(reader.pointer_to("headers"), name);
    std::string lower = name;
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (value == redacted)
      reader.problems().refuse(at,
                               "'***' stands for a value that is not shown; write the value of '" + name + "' itself.");
    else if (!is_token(name))
      reader.problems().refuse(at, "A header name is made of letters, digits and hyphens.");
    else if (std::find(ours.begin(), ours.end(), lower) != ours.end())
      reader.problems().refuse(at, "The header '" + name + "' is set by Tobit; remove it.");
  }
  return headers;
}

json read_condition(verdict& v, const json& spec, const std::string& pointer, std::size_t& count, std::size_t depth) {
  field_reader in{v, spec, pointer, "A condition"};
  if (!v.good()) return json::object();
  if (in.has("conditions") || in.has("logic")) {
    if (depth >= condition_depth_max) {
      v.refuse(pointer,
               "Groups are nested deeper than " + std::to_string(condition_depth_max) + " levels; flatten them.");
      return json::object();
    }
    for (auto name : {"field", "op", "value", "case_sensitive"})
      in.refuse_if_present(
          name, "A group has 'conditions' and 'logic'; a comparison has 'field', 'op' and 'value'. Not both.");
    auto logic = in.choice("logic", {"AND", "OR", "NOT", "and", "or", "not"}, "AND");
    std::transform(logic.begin(), logic.end(), logic.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    auto members = json::array();
    const auto* list = in.any("conditions");
    if (!list || !list->is_array() || list->empty()) {
      in.refuse("conditions", "'conditions' is a list with at least one condition.");
    } else {
      for (std::size_t i = 0; i < list->size() && v.good(); ++i)
        members.push_back(
            read_condition(v, (*list)[i], pointer_append(in.pointer_to("conditions"), i), count, depth + 1));
    }
    in.close();
    return json{{"logic", std::move(logic)}, {"conditions", std::move(members)}};
  }
  if (++count > conditions_max) {
    v.refuse(pointer,
             "A rule has at most " + std::to_string(conditions_max) + " comparisons; split it into several rules.");
    return json::object();
  }
  json out{{"field", read_path(in, "field")}};
  const auto written = in.text("op", {1, 20}, "==");
  const auto op = parse_comparison_op(written);
  if (!op)
    in.refuse("op", "'" + written + "' is not an operator; use one of " + std::string(comparison_op_list()) + ".");
  out["op"] = to_string(op.value_or(comparison_op::equal));
  in.any("value"); // null is a value here
  if (!in.present("value")) {
    in.needed("value");
  } else {
    const auto& value = in.raw("value");
    const bool list = op == comparison_op::in || op == comparison_op::not_in;
    if (list && (!value.is_array() || value.empty() || value.size() > 1'000))
      in.refuse("value", "'" + written + "' needs a list of 1 to 1000 values.");
    if ((op == comparison_op::starts_with || op == comparison_op::ends_with) && !value.is_string())
      in.refuse("value", "'" + written + "' needs a text.");
    if (op <= comparison_op::less_equal && !value.is_number() && !value.is_string())
      in.refuse("value", "'" + written + "' needs a number or a text.");
    out["value"] = value;
  }
  if (!in.flag("case_sensitive", true)) out["case_sensitive"] = false;
  in.close();
  return out;
}

bool takes_all(const json& globs) {
  return std::all_of(globs.begin(), globs.end(), [](const json& glob) {
    return glob.get_ref<const std::string&>().find_first_not_of('*') == std::string::npos;
  });
}

json read_trigger(verdict& v, std::string_view trigger_type, const json& spec, const outbound::guard_options& guard) {
  field_reader in{v, spec, "/trigger_spec", "The trigger_spec of a rule of type '" + std::string(trigger_type) + "'"};
  if (!v.good()) return json::object();
  auto out = trigger_type == "schedule"  ? read_schedule(in)
             : trigger_type == "metric"  ? read_metric(in, guard)
             : trigger_type == "event"   ? read_event(in)
             : trigger_type == "pattern" ? pattern::read_pattern(in)
                                         : read_anomaly(in, guard);
  in.close();
  return out;
}

} // namespace tobit::rule
