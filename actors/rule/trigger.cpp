#include "actors/rule/trigger.hpp"

#include "actors/rule/pattern/pattern_definition.hpp"
#include "schemas/entity/interest_spec.hpp"

#include <algorithm>
#include <array>

namespace tobit::rule {

namespace {

bool any_fits(const std::vector<std::string>& globs, std::string_view text) noexcept {
  return globs.empty() || std::any_of(globs.begin(), globs.end(),
                                      [&](const std::string& glob) { return entity::glob_matches(glob, text); });
}

std::string shown(const json& value) {
  return clip_text(value.is_string() ? value.get<std::string>() : to_text(value), 100);
}

/// Sources answer null for what they do not know yet, such as a rate at the first reading: no match, but no failure.
std::string not_yet(const field_path& path) { return "There is no value at '" + path.text() + "' yet (null)."; }

std::string sentence_for_path(const field_path& path, const operand& found) {
  if (found.is == operand::type::missing) return "The path '" + path.text() + "' leads nowhere in the payload.";
  return "The value at '" + path.text() + "' is not a number.";
}

std::string summary_of(const json& references) {
  if (references.contains("field"))
    return references["field"].get<std::string>() + " is " + shown(references["actual"]) + " (" +
           references["operator"].get<std::string>() + " " + shown(references["expected"]) + ")";
  return "all conditions fit";
}

} // namespace

std::string_view to_string(trigger_type type) noexcept {
  constexpr std::array<std::string_view, 5> names{"schedule", "metric", "event", "anomaly", "pattern"};
  return names[static_cast<std::size_t>(type)];
}

trigger::trigger(const json& definition) : spec_(definition.at("trigger_spec")) {
  const auto& type = definition.at("trigger_type").get_ref<const std::string&>();
  type_ = type == "schedule"  ? trigger_type::schedule
          : type == "metric"  ? trigger_type::metric
          : type == "event"   ? trigger_type::event
          : type == "pattern" ? trigger_type::pattern
                              : trigger_type::anomaly;
  on_change_ = spec_.value("fire", "") == "on_change";
  polls_ = type_ == trigger_type::metric || (type_ == trigger_type::anomaly && spec_.at("source") != "payload");
  each_series_ = spec_.value("reduce", "") == "each";
  const auto filter = type_ == trigger_type::pattern ? pattern::event_interest_of(spec_) : spec_;
  types_ = filter.value("types", std::vector<std::string>{});
  sources_ = filter.value("sources", std::vector<std::string>{});
  if (type_ == trigger_type::event && (spec_.contains("field") || spec_.contains("conditions")))
    condition_ = condition::compile(spec_);
  if (spec_.contains("value_path")) value_path_.emplace(spec_["value_path"].get<std::string>());
  if (type_ == trigger_type::metric && spec_.contains("threshold") && spec_.contains("op"))
    threshold_.emplace(parse_comparison_op(spec_.at("op").get_ref<const std::string&>()).value_or(comparison_op::equal),
                       spec_.at("threshold"), true);
  if (type_ == trigger_type::anomaly) {
    detector_.emplace(spec_);
    fixed_baseline_ = spec_.at("baseline_values").get<std::vector<double>>();
    spec_.erase("baseline_values");
  }
  spec_.erase("headers");
}

bool trigger::takes_events() const noexcept {
  return type_ == trigger_type::event || type_ == trigger_type::pattern || (type_ == trigger_type::anomaly && !polls_);
}

bool trigger::lets_through(const event::event& e) const noexcept {
  return any_fits(types_, e.type) && any_fits(sources_, e.source);
}

const std::vector<double>& trigger::baseline(const std::vector<double>& learned) const noexcept {
  return fixed_baseline_.empty() ? learned : fixed_baseline_;
}

std::optional<number> trigger::value_in(const subject& where) const noexcept {
  const auto* field = condition_ ? condition_->field() : nullptr;
  if (!field) return std::nullopt;
  const auto found = field->in(where);
  return found.is == operand::type::boolean ? std::nullopt : found.numeric;
}

trigger_verdict trigger::explain(const subject& where, const std::vector<double>& learned, bool test) const {
  if (where.envelope && takes_events() && !lets_through(*where.envelope)) {
    trigger_verdict out;
    out.references = {{"trigger_spec", clip(spec_, 4'000)},
                      {"condition_evaluated", false},
                      {"reason", "The event's type '" + clip_text(where.envelope->type, 100) + "' from '" +
                                     clip_text(where.envelope->source, 100) +
                                     "' is not among the types and sources of this rule."}};
    return out;
  }
  switch (type_) {
  case trigger_type::metric:
    return explain_metric(where, test);
  case trigger_type::event:
    return explain_event(where);
  case trigger_type::anomaly:
    return explain_anomaly(where, learned);
  default:
    break;
  }
  trigger_verdict out;
  out.matched = true;
  out.references = {{"trigger_spec", spec_}, {"condition_evaluated", true}};
  return out;
}

trigger_verdict trigger::explain_metric(const subject& where, bool test) const {
  trigger_verdict out;
  const auto found = value_path_->in(where);
  const bool readable = found.numeric && found.is != operand::type::boolean;
  if (readable) {
    out.value = found.numeric;
    out.matched = threshold_->compare(found) == expectation::outcome::matched;
    out.summary = value_path_->text() + " is " + shown(out.value->to_json()) + " (" + spec_["op"].get<std::string>() +
                  " " + shown(spec_["threshold"]) + ")";
  } else if (found.is != operand::type::null) {
    out.error = sentence_for_path(*value_path_, found);
  }
  const auto reason = found.is == operand::type::null ? not_yet(*value_path_) : out.error;
  out.references = {{"source", spec_["source"]},
                    {"runtime_endpoint", spec_.value("endpoint", json())},
                    {"method", spec_.value("method", json())},
                    {"params", clip(spec_.value("params", json::object()), 2'000)},
                    {"value_path", value_path_->text()},
                    {"op", spec_["op"]},
                    {"threshold", spec_["threshold"]},
                    {"used_test_payload", test},
                    {"extracted_value", found.show()},
                    {"actual_value", readable ? out.value->to_json() : json()},
                    {"condition_evaluated", out.matched},
                    {"error_reason", reason.empty() ? json() : json(reason)}};
  for (auto name : {"query", "selector"})
    if (spec_.contains(name)) out.references[name] = clip_text(spec_[name].get<std::string>(), 1'000);
  return out;
}

trigger_verdict trigger::explain_event(const subject& where) const {
  trigger_verdict out;
  if (!condition_) {
    out.matched = true;
    out.references = {{"trigger_spec", spec_}, {"condition_evaluated", true}};
    if (where.envelope) out.summary = where.envelope->type + " from " + clip_text(where.envelope->source, 100);
    return out;
  }
  auto explained = condition_->explain(where);
  out.matched = explained.matched;
  out.value = value_in(where);
  out.references = std::move(explained.references);
  if (!condition_->is_group())
    out.references["trigger_spec"] = clip(spec_, 4'000);
  else
    out.references["condition_evaluated"] = out.matched;
  if (out.matched) out.summary = summary_of(out.references);
  return out;
}

trigger_verdict trigger::explain_anomaly(const subject& where, const std::vector<double>& learned) const {
  trigger_verdict out;
  const auto found = value_path_->in(where);
  json result{{"is_anomaly", false}, {"score", 0.0}, {"method", detector_->method()}, {"details", json::object()}};
  if (found.numeric && found.is != operand::type::boolean) {
    out.value = found.numeric;
    auto judged = detector_->judge(found.numeric->approximate(), baseline(learned));
    out.matched = judged.is_anomaly;
    out.summary = value_path_->text() + " is " + shown(found.numeric->to_json()) + ", unusual by " +
                  std::string(detector_->method()) + " (score " + shown(json(judged.score)) + ")";
    result["is_anomaly"] = judged.is_anomaly;
    result["score"] = judged.score;
    result["details"] = std::move(judged.details);
  } else if (found.is != operand::type::null) {
    out.error = sentence_for_path(*value_path_, found);
  }
  const auto reason = found.is == operand::type::null ? not_yet(*value_path_) : out.error;
  out.references = {{"value_path", value_path_->text()},
                    {"extracted_value", found.show()},
                    {"anomaly_result", std::move(result)},
                    {"condition_evaluated", out.matched},
                    {"error_reason", reason.empty() ? json() : json(reason)}};
  return out;
}

namespace {

/// True if only an equal value of the same form fits: a text that is no number, or a small whole number.
bool is_plain(const json& value) {
  const auto seen = operand::of(&value);
  if (seen.is == operand::type::text) return !seen.numeric;
  return value.is_number_integer() && *seen.numeric <= number::of(std::int64_t{1} << 53) &&
         *seen.numeric >= number::of(-(std::int64_t{1} << 53));
}

/// Takes the first equality that every matching event must fulfil, so that whoever routes events may look it up instead
/// of asking each rule.
void add_equality(const json& spec, entity::event_interest& wanted) {
  const auto take = [&](const json& leaf) {
    if (!leaf.contains("field") || !leaf.value("case_sensitive", true)) return false;
    const auto op = leaf.value("op", "==");
    std::vector<json> values;
    if (op == "==") values.push_back(leaf["value"]);
    if (op == "in") values = leaf["value"].get<std::vector<json>>();
    if (values.empty() || !std::all_of(values.begin(), values.end(), is_plain)) return false;
    const bool texts = values.front().is_string();
    if (std::any_of(values.begin(), values.end(), [&](const json& v) { return v.is_string() != texts; })) return false;
    wanted.field = leaf["field"].get<std::string>();
    wanted.values = std::move(values);
    return true;
  };
  if (const auto members = spec.find("conditions"); members == spec.end())
    take(spec);
  else if (spec.value("logic", "AND") == "AND")
    for (const auto& member : *members)
      if (take(member)) return;
}

} // namespace

std::vector<entity::interest> interests_of(const json& definition) {
  const auto& spec = definition.at("trigger_spec");
  const auto& type = definition.at("trigger_type").get_ref<const std::string&>();
  if (type == "schedule") {
    auto wanted = spec.get<entity::schedule_interest>();
    if (!spec.contains("timezone")) wanted.timezone = definition.at("timezone").get<std::string>();
    return {{"schedule", wanted}};
  }
  if (type == "pattern") return {{"event", pattern::event_interest_of(spec)}};
  const auto source = spec.value("source", "payload");
  if (type == "event" || source == "payload") {
    auto wanted = spec.get<entity::event_interest>();
    wanted.field.clear(); // of a comparison that may be anything
    wanted.values.clear();
    add_equality(spec, wanted);
    return {{"event", wanted}};
  }
  auto wanted = spec.get<entity::poll_interest>();
  wanted.source = source == "runtime" ? "http" : source;
  return {{"poll", wanted}};
}

} // namespace tobit::rule
