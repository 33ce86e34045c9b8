#include "http/codec/alert_payload.hpp"

#include "schemas/ids.hpp"
#include "schemas/time.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace tobit::http {

namespace {

constexpr std::size_t fingerprint_max = 200, rejections_listed_max = 100;

std::string_view name_of(alert_sender sender) { return sender == alert_sender::grafana ? "grafana" : "alertmanager"; }

error wrong(std::string sentence, std::string pointer) {
  return {error_code::validation_error, std::move(sentence), std::move(pointer)};
}

const json* find(const json& object, const char* name) {
  const auto at = object.find(name);
  return at == object.end() || at->is_null() ? nullptr : &*at;
}

std::string text_of(const json& object, const char* name) {
  const auto* value = find(object, name);
  return value && value->is_string() ? value->get<std::string>() : std::string{};
}

/// What keeps the payload from being a notification of the sender; the message names the other one where that fits.
result<void> check_payload(alert_sender sender, const json& payload) {
  const auto bad = [](std::string sentence, std::string pointer) {
    return result<void>(tl::unexpect, wrong(std::move(sentence), std::move(pointer)));
  };
  if (!payload.is_object()) return bad("A notification is a JSON object.", "");
  const auto version = text_of(payload, "version");
  if (sender == alert_sender::alertmanager && payload.contains("orgId"))
    return bad("This looks like Grafana's payload; send it to /cep/events/ingest/grafana.", "/orgId");
  if (sender == alert_sender::alertmanager && version != "4")
    return bad("'version' is \"4\", the version of Alertmanager's webhook payload since 0.7.", "/version");
  if (sender == alert_sender::grafana && version == "4")
    return bad("This looks like Alertmanager's payload; send it to /cep/events/ingest/alertmanager.", "/version");
  const auto* alerts = find(payload, "alerts");
  if (!alerts || !alerts->is_array()) return bad("'alerts' is the list of alerts of the notification.", "/alerts");
  const auto* truncated = find(payload, "truncatedAlerts");
  if (truncated && !truncated->is_number_unsigned())
    return bad("'truncatedAlerts' is a number that is not negative.", "/truncatedAlerts");
  return {};
}

result<void> check_texts(const json& alert, const char* name, bool needed, const std::string& pointer) {
  const auto* table = find(alert, name);
  const auto at = pointer_append(pointer, name);
  if (!table)
    return needed ? fail(error_code::validation_error, "An alert has '" + std::string(name) + "'.", at)
                  : result<void>{};
  if (!table->is_object())
    return fail(error_code::validation_error, "'" + std::string(name) + "' is an object of texts.", at);
  for (const auto& [key, value] : table->items())
    if (!value.is_string())
      return fail(error_code::validation_error, "'" + std::string(name) + "' holds texts only.",
                  pointer_append(at, key));
  return {};
}

/// The time of a field; nothing for the year 1, which Go writes for "no time".
result<std::optional<utc_time>> time_of(const json& alert, const char* name, const std::string& pointer) {
  const auto* value = find(alert, name);
  if (!value) return std::optional<utc_time>{};
  const auto at = pointer_append(pointer, name);
  if (!value->is_string()) return fail(error_code::validation_error, "'" + std::string(name) + "' is a time.", at);
  auto time = parse_rfc3339(value->get_ref<const std::string&>());
  if (!time) return fail(time.error().code, time.error().message, at);
  if (*time < utc_time{}) return std::optional<utc_time>{};
  return std::optional(*time);
}

/// Old versions send no fingerprint; the labels are what it is made of.
std::string fingerprint_of(const json& alert) {
  auto given = text_of(alert, "fingerprint");
  if (!given.empty()) return given;
  char text[17];
  std::snprintf(text, sizeof text, "%016llx",
                static_cast<unsigned long long>(stable_hash(entity_ref{"alert", {}, to_text(alert["labels"])})));
  return text;
}

/// Where an event says it comes from: a URI-reference, so that what else stands there is percent-encoded.
std::string source_of(alert_sender sender, const json& payload) {
  auto plain = text_of(payload, "externalURL");
  if (plain.empty()) plain = "/" + std::string(name_of(sender)) + "/" + text_of(payload, "receiver");
  std::string out;
  for (const char c : plain) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte != 0x7f && std::string_view("<>\"{}|\\^`").find(c) == std::string_view::npos) {
      out.push_back(c);
      continue;
    }
    char triple[4];
    std::snprintf(triple, sizeof triple, "%%%02X", unsigned{byte});
    out += triple;
  }
  return out;
}

result<json> event_of(alert_sender sender, const json& payload, const json& alert, const std::string& pointer) {
  if (!alert.is_object()) return fail(error_code::validation_error, "An alert is an object.", pointer);
  const auto status = text_of(alert, "status");
  if (status != "firing" && status != "resolved")
    return fail(error_code::validation_error, "'status' of an alert is firing or resolved.",
                pointer_append(pointer, "status"));
  if (auto good = check_texts(alert, "labels", true, pointer); !good) return fail(good.error());
  if (auto good = check_texts(alert, "annotations", false, pointer); !good) return fail(good.error());
  auto began = time_of(alert, "startsAt", pointer);
  if (!began) return fail(began.error());
  if (!*began)
    return fail(error_code::validation_error, "An alert has the time 'startsAt'.", pointer_append(pointer, "startsAt"));
  auto ended = time_of(alert, "endsAt", pointer);
  if (!ended) return fail(ended.error());
  const auto fingerprint = fingerprint_of(alert);
  if (fingerprint.size() > fingerprint_max)
    return fail(error_code::validation_error, "A fingerprint has at most 200 bytes.",
                pointer_append(pointer, "fingerprint"));
  auto data = alert;
  for (const auto* name : {"receiver", "groupKey", "groupLabels", "externalURL"})
    if (const auto* value = find(payload, name)) data[name] = *value;
  json out{{"specversion", "1.0"},
           {"id", fingerprint + "/" + status + "/" + to_rfc3339(**began)},
           {"type", std::string(name_of(sender)) + ".alert." + status},
           {"source", source_of(sender, payload)},
           {"subject", fingerprint},
           {"datacontenttype", "application/json"},
           {"data", std::move(data)}};
  if (status == "firing")
    out["time"] = to_rfc3339(**began);
  else if (*ended)
    out["time"] = to_rfc3339(**ended);
  return out;
}

} // namespace

result<alert_events> read_alert_payload(alert_sender sender, const json& payload) {
  if (auto good = check_payload(sender, payload); !good) return fail(good.error());
  alert_events out;
  if (const auto* truncated = find(payload, "truncatedAlerts")) out.truncated = truncated->get<std::size_t>();
  const auto& alerts = payload["alerts"];
  for (std::size_t i = 0; i < alerts.size(); ++i) {
    auto made = event_of(sender, payload, alerts[i], pointer_append("/alerts", i));
    if (made) {
      out.events.push_back(std::move(*made));
      out.alerts.push_back(i);
    } else {
      out.rejected.push_back({i, std::move(made.error())});
    }
  }
  return out;
}

event::ingest_report report_of_alerts(const alert_events& read, event::ingest_report report) {
  for (auto& one : report.rejected)
    if (one.index < read.alerts.size()) one.index = read.alerts[one.index];
  report.rejected.insert(report.rejected.end(), read.rejected.begin(), read.rejected.end());
  report.rejected_total += read.rejected.size();
  std::sort(report.rejected.begin(), report.rejected.end(),
            [](const auto& a, const auto& b) { return a.index < b.index; });
  if (report.rejected.size() > rejections_listed_max) report.rejected.resize(rejections_listed_max);
  return report;
}

} // namespace tobit::http
