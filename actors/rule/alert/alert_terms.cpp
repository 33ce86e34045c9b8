#include "actors/rule/alert/alert_terms.hpp"

#include "actors/rule/text_template.hpp"
#include "actors/rule/trigger_definition.hpp"

#include <algorithm>

namespace tobit::rule {

namespace {

constexpr std::int64_t second_us = 1'000'000;
constexpr std::int64_t day_seconds = 86'400;
constexpr std::int64_t silence_seconds = 300; ///< after so long without a match an event rule's alert is over
constexpr std::int64_t keys_usual = 10'000;
constexpr std::int64_t tick_seconds = 60; ///< the same for schedules, which only say "now"

/// Whoever is only told of matches must take their absence for the end. A window says nothing between two closings.
std::int64_t usual_resolve_after(std::string_view trigger_type, const json& trigger_spec) {
  if (trigger_type == "metric") return 0;
  if (trigger_type == "schedule") return tick_seconds;
  const bool polls = trigger_type == "anomaly" && trigger_spec.value("source", "payload") != "payload";
  if (polls) return 0;
  std::int64_t window = 0;
  if (const auto config = trigger_spec.find("window_config"); config != trigger_spec.end() && config->is_object())
    for (const auto* name : {"size_seconds", "gap_seconds"})
      if (const auto length = config->find(name); length != config->end() && length->is_number())
        window = std::max(window, length->get<std::int64_t>());
  return silence_seconds + 2 * window;
}

/// Whether there is one number that decides, so that `clear` can be a threshold for it.
bool judges_a_number(std::string_view trigger_type, const json& trigger_spec) {
  if (trigger_type == "pattern") return false;
  return trigger_type != "event" || trigger_spec.contains("field") || trigger_spec.contains("window_config");
}

json read_clear(verdict& v, const json& spec, const std::string& pointer) {
  field_reader in{v, spec, pointer, "'clear'"};
  if (!v.good()) return nullptr;
  if (spec.contains("conditions") || spec.contains("field")) {
    std::size_t count = 0;
    return read_condition(v, spec, pointer, count);
  }
  json out{{"op", in.choice("op", {">", "<", ">=", "<=", "==", "!="})},
           {"threshold", in.real("threshold", -1e300, 1e300)}};
  in.close();
  return out;
}

json read_flapping(verdict& v, const json* spec, const std::string& pointer) {
  json out{{"window_seconds", 600}, {"changes", 8}};
  if (!spec) return out;
  if (spec->is_boolean() && !spec->get<bool>()) {
    out["changes"] = 0;
    return out;
  }
  field_reader in{v, *spec, pointer, "'flapping'"};
  out["window_seconds"] = in.integer("window_seconds", 1, day_seconds, 600);
  out["changes"] = in.integer("changes", 0, 100, 8);
  if (out["changes"].get<std::int64_t>() == 1)
    in.refuse("changes", "One change is no flapping: 'changes' is 0 (off) or 2 to 100.");
  in.close();
  return out;
}

void check_annotations(field_reader& in, const json& annotations) {
  for (const auto& [name, text] : annotations.items())
    if (auto fault = text_template::fault_of(text.get_ref<const std::string&>()); !fault.empty())
      in.problems().refuse(pointer_append(in.pointer_to("annotations"), name), std::move(fault));
}

} // namespace

clear_test::clear_test(const json& spec) {
  if (!spec.contains("threshold")) {
    condition_ = condition::compile(spec);
    return;
  }
  const auto op = parse_comparison_op(spec.at("op").get_ref<const std::string&>());
  threshold_.emplace(op.value_or(comparison_op::equal), spec.at("threshold"), true);
}

bool clear_test::cleared(const trigger_verdict& verdict, const subject* where) const {
  if (condition_) return where && where->data && condition_->matches(*where);
  if (!verdict.value) return false;
  const auto value = verdict.value->to_json();
  return threshold_->compare(operand::of(&value)) == expectation::outcome::matched;
}

json read_alert(verdict& v, const json& spec, std::string_view trigger_type, const json& trigger_spec) {
  const std::string pointer = "/alert";
  const json section = spec.is_null() || (spec.is_boolean() && spec.get<bool>()) ? json::object() : spec;
  field_reader in{v, section, pointer, "'alert'"};
  json out{{"for_seconds", in.integer("for_seconds", 0, 7 * day_seconds, 0)},
           {"keep_firing_seconds", in.integer("keep_firing_seconds", 0, 7 * day_seconds, 0)},
           {"resolve_after_seconds",
            in.integer("resolve_after_seconds", 0, 30 * day_seconds, usual_resolve_after(trigger_type, trigger_spec))},
           {"cooldown_seconds", in.integer("cooldown_seconds", 0, 7 * day_seconds, 0)},
           {"max_per_hour", in.integer("max_per_hour", 0, 10'000, 0)},
           {"max_keys", in.integer("max_keys", 1, 1'000'000, trigger_spec.value("max_keys", keys_usual))},
           {"labels", in.table("labels", 50, 200, false)},
           {"annotations", in.table("annotations", 20, 2'000, false)}};
  check_annotations(in, out["annotations"]);
  if (const auto* clear = in.any("clear")) out["clear"] = read_clear(v, *clear, in.pointer_to("clear"));
  if (out.contains("clear") && trigger_type == "schedule")
    in.refuse("clear", "A schedule reads no value that could be compared; leave 'clear' out.");
  if (out.contains("clear") && out["clear"].contains("threshold") && !judges_a_number(trigger_type, trigger_spec))
    in.refuse("clear", "This rule compares no single number. Say when it is over as a condition, e.g. "
                       R"({"field": "load", "op": "<", "value": 80}.)");
  out["flapping"] = read_flapping(v, in.any("flapping"), in.pointer_to("flapping"));
  const bool never_over = out["resolve_after_seconds"] == 0 && (trigger_type == "schedule");
  if (never_over)
    in.refuse("resolve_after_seconds", "A schedule never says that it is over: 'resolve_after_seconds' is 1 or more.");
  in.close();
  return out;
}

namespace {

constexpr std::size_t kept_fields_max = 20;

/// What only the alert or the rule knows, never the input.
bool is_fact(const std::string& path) {
  return path == "value" || path == "summary" || path == "severity" || path == "status" || path == "key" ||
         path.starts_with("rule.") || path.starts_with("labels.") || path.starts_with("window.");
}

void keep_fields(const json& texts, std::vector<field_path>& keep) {
  if (texts.is_structured())
    for (const auto& member : texts) keep_fields(member, keep);
  if (!texts.is_string()) return;
  for (auto& path : text_template::placeholders_of(texts.get_ref<const std::string&>())) {
    const auto known = std::any_of(keep.begin(), keep.end(), [&](const field_path& f) { return f.text() == path; });
    if (!known && keep.size() < kept_fields_max && !is_fact(path) && field_path::fault_of(path).empty())
      keep.emplace_back(std::move(path));
  }
}

} // namespace

std::optional<alert_terms> alert_terms::of(const json& definition) {
  const auto found = definition.find("alert");
  if (found == definition.end() || !found->is_object()) return std::nullopt;
  const auto& section = *found;
  const auto seconds = [&](const char* name) { return section.at(name).get<std::int64_t>() * second_us; };
  alert_terms out;
  out.pending_for_us = seconds("for_seconds");
  out.keep_firing_us = seconds("keep_firing_seconds");
  out.resolve_after_us = seconds("resolve_after_seconds");
  out.cooldown_us = seconds("cooldown_seconds");
  out.firings_per_hour = section.at("max_per_hour").get<std::int64_t>();
  out.flapping_window_us = section.at("flapping").at("window_seconds").get<std::int64_t>() * second_us;
  out.flapping_changes = section.at("flapping").at("changes").get<std::int64_t>();
  if (out.flapping_changes == 0) out.flapping_window_us = 0;
  if (const auto clear = section.find("clear"); clear != section.end()) out.clear.emplace(*clear);
  out.labels = section.at("labels");
  out.annotations = section.at("annotations");
  keep_fields(out.annotations, out.keep);
  if (const auto actions = definition.find("action_spec"); actions != definition.end()) keep_fields(*actions, out.keep);
  out.keys_max = static_cast<std::size_t>(section.value("max_keys", keys_usual));
  return out;
}

} // namespace tobit::rule
