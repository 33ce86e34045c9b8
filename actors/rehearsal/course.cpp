#include "actors/rehearsal/course.hpp"

#include "actors/rehearsal/written_row.hpp"
#include "runtime/entity/message_to.hpp"
#include "schemas/rule/rule_protocol.hpp"

namespace tobit::rehearsal {

namespace {

json to_json(const storage::value& value) {
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return *whole;
  if (const auto* real = std::get_if<double>(&value)) return *real;
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  return nullptr;
}

json kept(const json& body, std::size_t bytes_max) {
  auto text = to_text(body);
  if (text.size() <= bytes_max) return body;
  return {{"truncated", true}, {"bytes", text.size()}};
}

} // namespace

void course::decided(const entity_ref& who, const message&, const entity::decision& what, utc_time at) {
  if (at < since) return;
  for (const auto& row : what.statements) take_row(who, row, at);
  for (const auto& effect : what.effects) {
    if (effect.type != entity::message_effect::effect_type) continue;
    try {
      take_message(who, entity::wish_of(effect), at);
    } catch (const json::exception&) {
      // No message at all; the world reports it to whoever wants to know.
    }
  }
}

void course::take_row(const entity_ref& who, const storage::statement& what, utc_time at) {
  const auto row = written_row::of(what);
  if (!row) return;
  if (row->table() == "rule_execution") {
    const auto status = row->text("status");
    const bool held = status == "throttled" || status == "skipped"; // by the rule itself
    if (held) add(rows, {at, who, "rule_execution", {{"status", status}, {"reason", row->text("error_message")}}});
    if (held || status == "dry_run") return;
    add(firings, {at, row->text("rule_id"), row->text("exec_id"), status == "fail", row->text("error_message"),
                  row->text("refs")});
  } else if (row->table() == "rule_event" && who.kind == rule::kind_name) {
    add(records, {at, row->text("rule_id"), row->text("severity"), row->text("summary")});
  } else if (who.kind != rule::kind_name) {
    json columns = json::object();
    for (const auto name : row->columns()) columns[std::string(name)] = to_json((*row)[name]);
    add(rows, {at, who, std::string(row->table()), kept(columns, limits_.body_bytes_max)});
  }
}

void course::take_message(const entity_ref& who, const entity::message_effect& wish, utc_time at) {
  if (wish.to_kind == alert::kind_name && wish.body.contains("changes"))
    for (const auto& one : wish.body["changes"]) take_alert(one, at);
  else if (wish.to_kind == alert::kind_name && wish.body.contains("alert_id"))
    take_alert(wish.body, at);
  else if (wish.name == channel::send_notice::wire_name)
    add(notices, {at, who, wish.to_key, wish.body.get<channel::send_notice>()});
}

void course::take_alert(const json& told, utc_time at) {
  const auto text = [&](const char* name) { return told.value(name, std::string{}); };
  add(alert_steps, {at, text("alert_id"), text("rule_id"), text("rule_name"), text("key"), text("status"),
                    text("severity"), text("summary"), text("reason"), told.value("labels", json())});
}

void course::refused(const entity_ref& who, const message& request, const error& why, utc_time at) {
  if (at < since) return;
  add(refusals, {at, who, std::string(request.name()), why});
}

entity::effect_settled course::settle(const outward_effect& effect) {
  if (effect.at >= since)
    add(departures,
        {effect.at, effect.from, effect.what.type, kept(effect.what.body, limits_.body_bytes_max), effect.effect_id});
  if (outcome_of) return outcome_of(effect);
  return world_watcher::settle(effect);
}

} // namespace tobit::rehearsal
