#pragma once

#include "actors/alert/alerting_kind.hpp"
#include "actors/alert/alerting_state.hpp"
#include "runtime/entity/message_to.hpp"
#include "schemas/alert/alert_protocol.hpp"
#include "schemas/channel/channel_protocol.hpp"

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

/// The alerting of a tenant, wound on by hand.
namespace tobit::alert::samples {

inline const entity_ref ref{"alerting", tenant_id{"acme"}, "default"};
constexpr std::int64_t second = 1'000'000;
constexpr std::int64_t start_us = 1'800'000'000'000'000; // 2027-01-15T08:00:00Z, a Friday

inline result<entity::compiled_definition> compile(const json& body, const json* before = nullptr) {
  return alerting_kind{{{"127.0.0.1:9090"}}}.compile(ref, body, before);
}

inline std::unique_ptr<entity::entity_logic> start(const json& body) {
  register_alert_messages();
  entity::register_entity_messages();
  auto compiled = compile(body);
  if (!compiled) throw std::runtime_error(compiled.error().pointer + ": " + compiled.error().message);
  return std::move(alerting_kind{{}}.instantiate(ref, 1, compiled->definition).value());
}

/// One alert of a rule, as its rule would send it.
inline alert_changed change(std::string id, std::string status, std::int64_t number = 1, json labels = json::object()) {
  alert_changed c;
  c.alert_id = std::move(id);
  c.change = number;
  c.rule_id = "r1";
  c.rule_name = "cpu";
  c.key = "[\"" + c.alert_id + "\"]";
  c.status = std::move(status);
  c.reason = "because";
  c.severity = labels.value("severity", "warning");
  c.summary = "cpu is hot";
  c.labels = std::move(labels);
  c.labels["alert"] = c.alert_id;
  c.started_at_us = c.at_us = start_us;
  return c;
}

struct alerting_bench {
  explicit alerting_bench(const json& definition) : logic(start(definition)) {}

  template <wire_message M>
  result<entity::decision> tell(M body) {
    const auto id = "d" + std::to_string(++decisions);
    auto decided = logic->decide(message::of(std::move(body)), {from_micros(now_us), context, id});
    if (!decided) return decided;
    for (const auto& e : decided->events) {
      logic->apply(e);
      journal.push_back(e);
    }
    collect(*decided);
    return decided;
  }
  void fire(std::vector<alert_changed> changes) {
    for (auto& c : changes) c.at_us = now_us;
    tell(alerts_changed{std::move(changes)}).value();
  }
  /// Lets time pass, with all wakes on the way.
  void pass(std::int64_t seconds) {
    const auto until = now_us + seconds * second;
    for (auto due = logic->wake_at(); due && to_micros(*due) <= until; due = logic->wake_at()) {
      now_us = std::max(now_us, to_micros(*due));
      tell(entity::wake_entity{}).value();
    }
    now_us = until;
  }
  /// What was said since the last call: `channel reason alert+alert`, separated by blanks and `|`.
  std::string said() {
    auto out = std::move(heard);
    heard.clear();
    return out;
  }
  void collect(const entity::decision& d) {
    for (const auto& e : d.effects) {
      std::string line;
      if (e.type == "webhook") {
        line = "webhook " + e.body["payload"]["reason"].get<std::string>();
        for (const auto& a : e.body["payload"]["alerts"]) line += " " + a["alert_id"].get<std::string>();
      } else {
        const auto to = entity::wish_of(e);
        const auto notice = to.body.get<channel::send_notice>();
        notices.push_back(notice);
        line = to.to_key + " " + notice.reason;
        for (const auto& a : notice.alerts) line += " " + a.alert_id + (a.status == "resolved" ? "-" : "");
      }
      heard += (heard.empty() ? "" : " | ") + line;
    }
    for (const auto& s : d.statements) rows.push_back(s);
  }
  /// The reasons of the history rows of one kind since the last call.
  std::string history(std::string_view what) {
    std::string out;
    for (const auto& s : rows)
      if (s.sql.find("INTO alert_history") != std::string_view::npos && storage::as_text(s.params[4]) == what)
        out += (out.empty() ? "" : "; ") + storage::as_text(s.params[5]);
    return out;
  }

  std::unique_ptr<entity::entity_logic> logic;
  std::int64_t now_us = start_us;
  call_context context = new_call(system_identity(tenant_id{"acme"}));
  int decisions = 0;
  std::vector<message> journal;
  std::vector<channel::send_notice> notices;
  std::vector<storage::statement> rows;
  std::string heard;
};

inline json policy(std::string id, json more = json::object()) {
  json out{{"notification_id", id},
           {"name", id},
           {"channels", {id}},
           {"policy", {{"cooldown_seconds", 0}, {"max_per_hour", 0}}}};
  out.update(more);
  return out;
}
inline json with(json policies, json more = json::object()) {
  json out{{"notifications", std::move(policies)}};
  out.update(more);
  return out;
}

} // namespace tobit::alert::samples
