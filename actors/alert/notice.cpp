#include "actors/alert/notice.hpp"

#include "actors/alert/alert_rows.hpp"
#include "actors/alert/names.hpp"
#include "runtime/entity/message_to.hpp"
#include "schemas/channel/channel_protocol.hpp"

#include <algorithm>

namespace tobit::alert {

namespace {

std::string policy_id_of(const notice& n) {
  if (!n.policy.id.empty()) return n.policy.id;
  return n.alerts.empty() ? std::string("rule") : "rule:" + n.alerts.front()->facts.rule_id;
}

std::string highest_severity(const std::vector<const live_alert*>& alerts) {
  std::string_view highest = "info";
  for (const auto* a : alerts)
    if (severity_rank(a->facts.severity) > severity_rank(highest)) highest = a->facts.severity;
  return std::string(highest);
}

channel::noticed_alert noticed(const live_alert& a) {
  const auto& f = a.facts;
  auto annotations = f.annotations.is_object() ? f.annotations : json::object();
  if (!annotations.contains("summary")) annotations["summary"] = f.summary;
  return {f.alert_id, f.status,    f.severity, f.rule_id,       f.rule_name, f.key,
          f.labels,   annotations, f.values,   f.started_at_us, f.at_us};
}

channel::send_notice message_of(const notice& n, const alerting_turn& t) {
  channel::send_notice out;
  out.thread = n.group.thread;
  out.reason = n.reason;
  out.severity = highest_severity(n.alerts);
  out.policy_id = n.policy.id;
  out.policy_name = n.policy.name;
  if (n.policy.id.empty() && !n.alerts.empty()) out.message = n.alerts.front()->facts.message;
  for (std::size_t i = 0; i < n.alerts.size() && i < noticed_max; ++i) out.alerts.push_back(noticed(*n.alerts[i]));
  out.alerts_total = static_cast<std::int64_t>(n.alerts.size());
  out.at_us = t.now_us();
  out.report_kind = kind_name;
  out.report_key = only_key;
  return out;
}

/// What a policy's own webhook gets: the contract's frame (§2.10), with the alerts in it.
json webhook_payload(const notice& n, const channel::send_notice& said) {
  json alerts = json::array();
  for (const auto& a : said.alerts) alerts.push_back(a);
  return {{"notification", {{"id", n.policy.id}, {"name", n.policy.name}}},
          {"trigger", n.policy.trigger},
          {"reason", said.reason},
          {"severity", said.severity},
          {"summary", {{"matched_count", said.alerts_total}, {"latest_at", to_rfc3339(from_micros(said.at_us))}}},
          {"notice_id", said.notice_id},
          {"group", *parse_json(n.group.labels)},
          {"alerts", std::move(alerts)}};
}

/// What the log keeps of a notice: enough to know what was told.
json log_payload(const channel::send_notice& said) {
  json alerts = json::array();
  for (const auto& a : said.alerts)
    alerts.push_back({{"alert_id", a.alert_id}, {"status", a.status}, {"rule_name", a.rule_name}, {"key", a.key}});
  return {{"reason", said.reason},
          {"severity", said.severity},
          {"alerts", std::move(alerts)},
          {"alerts_total", said.alerts_total}};
}

} // namespace

void write_notice(const notice& n, alerting_turn& t) {
  auto said = message_of(n, t);
  const auto payload = log_payload(said);
  const auto alerts = said.alerts_total;
  std::string told_where, last_id;
  const auto log = [&](const std::string& channel) {
    last_id = said.notice_id;
    told_where += (told_where.empty() ? "" : ", ") + channel;
    t.out.statements.push_back(log_row(t, {said.notice_id, policy_id_of(n), n.policy.name, channel, "pending",
                                           std::string(n.reason), n.group.key, payload, alerts}));
  };
  for (std::size_t i = 0; i < n.channels.size(); ++i) {
    said.notice_id = t.next_id();
    log(n.channels[i]);
    const bool last = i + 1 == n.channels.size() && !n.by_webhook;
    auto effect = entity::message_to(channel::kind_name, n.channels[i], last ? std::move(said) : said, last_id, true);
    effect.report_done = false; // a channel that took the notice says itself how it ended
    t.out.effects.push_back(std::move(effect));
  }
  if (n.by_webhook) {
    said.notice_id = t.next_id();
    t.out.effects.push_back({"webhook",
                             json{{"endpoint", n.policy.webhook_url},
                                  {"method", "POST"},
                                  {"headers", n.policy.headers},
                                  {"params", json::object()},
                                  {"payload", webhook_payload(n, said)}},
                             said.notice_id, true});
    log("webhook");
  }
  auto reason = std::string(n.reason) + (told_where.empty() ? "" : " to " + told_where);
  if (!n.remark.empty()) reason += " (" + n.remark + ")";
  for (std::size_t i = 0; i < n.alerts.size() && i < noticed_max; ++i)
    t.out.statements.push_back(history_row(
        t, n.alerts[i]->facts.alert_id, {told_where.empty() ? "held" : "told", reason, {}, policy_id_of(n), last_id}));
  if (told_where.empty()) {
    t.out.statements.push_back(
        log_row(t, {t.next_id(), policy_id_of(n), n.policy.name, "", "skipped",
                    n.remark.empty() ? "nobody to tell" : n.remark, n.group.key, payload, alerts}));
  }
}

void write_held(const notification_policy& policy, const alert_group& group, const std::string& reason,
                const std::vector<const live_alert*>& waiting, alerting_turn& t) {
  json alerts = json::array();
  for (std::size_t i = 0; i < waiting.size() && i < noticed_max; ++i) {
    alerts.push_back({{"alert_id", waiting[i]->facts.alert_id}});
    t.out.statements.push_back(history_row(t, waiting[i]->facts.alert_id, {"held", reason, {}, policy.id, {}}));
  }
  t.out.statements.push_back(
      log_row(t, {t.next_id(), policy.id, policy.name, "", "skipped", reason, group.key,
                  json{{"alerts", std::move(alerts)}}, static_cast<std::int64_t>(waiting.size())}));
}

} // namespace tobit::alert
