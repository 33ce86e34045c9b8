#include "actors/notify/channel/delivery_plan.hpp"

#include <xxhash.h>

#include <array>
#include <cstdio>

namespace tobit::notify {

namespace {

constexpr std::size_t alert_bytes_max = 8u << 10;

json time_or_null(std::int64_t micros) { return micros == 0 ? json() : json(to_rfc3339(from_micros(micros))); }

json shown(const channel::noticed_alert& alert) {
  json out{{"alert_id", alert.alert_id},     {"status", alert.status},
           {"severity", alert.severity},     {"rule_id", alert.rule_id},
           {"rule_name", alert.rule_name},   {"key", alert.key},
           {"labels", alert.labels},         {"annotations", alert.annotations},
           {"values", alert.values},         {"started_at", time_or_null(alert.started_at_us)},
           {"at", time_or_null(alert.at_us)}};
  if (to_text(out).size() > alert_bytes_max)
    for (const char* name : {"values", "annotations", "labels"})
      if (to_text(out).size() > alert_bytes_max) out[name] = {{"truncated", true}};
  return out;
}

} // namespace

std::string delivery_key(const entity_ref& channel, const std::string& notice_id, const std::string& recipient) {
  const auto text = to_string(channel) + '\n' + notice_id + '\n' + recipient;
  const auto hash = XXH3_128bits(text.data(), text.size());
  std::array<char, 33> digits;
  std::snprintf(digits.data(), digits.size(), "%016llx%016llx", static_cast<unsigned long long>(hash.high64),
                static_cast<unsigned long long>(hash.low64));
  return digits.data();
}

json delivery_metadata(const channel::send_notice& notice) {
  auto alerts = json::array();
  for (const auto& alert : notice.alerts)
    if (alerts.size() < alerts_shown_max) alerts.push_back(shown(alert));
  const auto* first = notice.alerts.empty() ? nullptr : &notice.alerts.front();
  return {
      {"notice_id", notice.notice_id},
      {"reason", notice.reason},
      {"status", status_of(notice)},
      {"severity", notice.severity},
      {"thread", notice.thread},
      {"policy", {{"id", notice.policy_id}, {"name", notice.policy_name}}},
      {"rule", {{"id", first ? first->rule_id : ""}, {"name", first ? first->rule_name : ""}}},
      {"alerts", std::move(alerts)},
      {"alerts_total", std::max<std::int64_t>(notice.alerts_total, static_cast<std::int64_t>(notice.alerts.size()))}};
}

delivery plan_delivery(const entity_ref& channel, const channel_settings& settings, const channel::send_notice& notice,
                       const std::string& recipient, const message_thread* thread) {
  delivery out;
  out.channel = channel.key;
  out.type = settings.type;
  out.config = settings.config;
  out.key = delivery_key(channel, notice.notice_id, recipient);
  out.attempts_max = settings.attempts_max;
  auto words = render_notice(settings.type, settings.templates, notice, {settings.name, settings.speaks});
  out.title = std::move(words.title);
  out.text = std::move(words.text);
  out.html = std::move(words.html);
  out.status = status_of(notice);
  out.reason = notice.reason;
  out.severity = notice.severity;
  out.thread = notice.thread;
  if (thread && !thread->place.is_null()) out.place = thread->place;
  // A mail's place is known before it is sent: its Message-ID follows from the notice.
  if (thread && settings.type == "email" && thread->root_notice != notice.notice_id && !thread->root_notice.empty())
    out.place = {{"root", delivery_key(channel, thread->root_notice, {})}};
  if (!recipient.empty()) out.recipients = {recipient};
  out.metadata = delivery_metadata(notice);
  out.at_us = notice.at_us;
  return out;
}

} // namespace tobit::notify
