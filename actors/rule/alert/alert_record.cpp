#include "actors/rule/alert/alert_record.hpp"

#include "schemas/json_text.hpp"

namespace tobit::rule {

std::string_view to_string(alert_status status) noexcept {
  return status == alert_status::pending ? "pending" : status == alert_status::firing ? "firing" : "resolved";
}

void to_json(json& out, const alert_record& r) {
  out = json{{"key", r.key},       {"id", r.alert_id},        {"status", static_cast<int>(r.status)},
             {"change", r.change}, {"started", r.started_us}, {"matched", r.matched_us}};
  const auto number = [&](const char* name, std::int64_t value) {
    if (value != 0) out[name] = value;
  };
  number("fired", r.fired_us);
  number("resolved", r.resolved_us);
  number("cleared", r.cleared_us);
  number("hold", r.hold_us);
  if (r.rated) out["rated"] = true;
  if (r.flapping) out["flapping"] = true;
  if (!r.turns.empty()) out["turns"] = r.turns;
  if (!r.labels.is_null()) out["labels"] = r.labels;
  if (!r.values.is_null()) out["values"] = r.values;
  if (!r.summary.empty()) out["summary"] = r.summary;
  if (!r.exec_id.empty()) out["exec"] = r.exec_id;
  if (!r.trace_id.empty()) out["trace"] = r.trace_id;
}

void write_text(std::string& out, const alert_record& r) {
  object_text object{out};
  const auto number = [&](const char* name, std::int64_t value) {
    if (value != 0) object.number(name, value);
  };
  object.number("change", r.change);
  number("cleared", r.cleared_us);
  if (!r.exec_id.empty()) object.text("exec", r.exec_id);
  number("fired", r.fired_us);
  if (r.flapping) object.flag("flapping", true);
  number("hold", r.hold_us);
  object.text("id", r.alert_id).text("key", r.key);
  if (!r.labels.is_null()) object.value("labels", r.labels);
  object.number("matched", r.matched_us);
  if (r.rated) object.flag("rated", true);
  number("resolved", r.resolved_us);
  object.number("started", r.started_us).number("status", static_cast<int>(r.status));
  if (!r.summary.empty()) object.text("summary", r.summary);
  if (!r.trace_id.empty()) object.text("trace", r.trace_id);
  if (!r.turns.empty()) append_array(object.begin("turns"), r.turns, append_number);
  if (!r.values.is_null()) object.value("values", r.values);
  object.end();
}

void from_json(const json& in, alert_record& r) {
  r.key = in.at("key").get<std::string>();
  r.alert_id = in.at("id").get<std::string>();
  const auto status = in.at("status").get<int>();
  r.status = status == 1 ? alert_status::firing : status == 2 ? alert_status::resolved : alert_status::pending;
  r.change = in.value("change", std::int64_t{0});
  r.started_us = in.value("started", std::int64_t{0});
  r.matched_us = in.value("matched", std::int64_t{0});
  r.fired_us = in.value("fired", std::int64_t{0});
  r.resolved_us = in.value("resolved", std::int64_t{0});
  r.cleared_us = in.value("cleared", std::int64_t{0});
  r.hold_us = in.value("hold", std::int64_t{0});
  r.rated = in.value("rated", false);
  r.flapping = in.value("flapping", false);
  r.turns = in.value("turns", std::vector<std::int64_t>{});
  r.labels = in.value("labels", json());
  r.values = in.value("values", json());
  r.summary = in.value("summary", std::string{});
  r.exec_id = in.value("exec", std::string{});
  r.trace_id = in.value("trace", std::string{});
}

} // namespace tobit::rule
