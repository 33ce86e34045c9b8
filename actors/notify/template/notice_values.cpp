#include "actors/notify/template/notice_values.hpp"

#include "schemas/time.hpp"

#include <algorithm>

namespace tobit::notify {

namespace {

using channel::noticed_alert;
using channel::send_notice;

/// A value as text: a text as it is, null as nothing, everything else as compact JSON.
std::string plain(const json& value) {
  const auto text = value.is_null() ? std::string{} : value.is_string() ? value.get<std::string>() : to_text(value);
  std::string out = cut_text(text, value_bytes_max);
  for (char& c : out)
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') || c == 0x7f) c = ' ';
  return out;
}

json texts_of(const json& object) {
  auto out = json::object();
  if (!object.is_object()) return out;
  for (const auto& [name, value] : object.items())
    if (out.size() < pairs_shown_max) out[cut_text(name, 100)] = plain(value);
  return out;
}

json pairs_of(const json& texts) {
  auto out = json::array();
  for (const auto& [name, value] : texts.items()) out.push_back({{"name", name}, {"value", value}});
  return out;
}

std::string joined(const json& texts) {
  std::string out;
  for (const auto& [name, value] : texts.items())
    out += (out.empty() ? "" : ", ") + name + "=" + value.get_ref<const std::string&>();
  return cut_text(out, value_bytes_max);
}

std::string text_at(const json& object, const char* name) {
  if (!object.is_object()) return {};
  const auto found = object.find(name);
  return found == object.end() ? std::string{} : plain(*found);
}

/// 2026-11-20 08:30:00 UTC.
std::string time_text(std::int64_t at_us) {
  if (at_us == 0) return {};
  auto text = to_rfc3339(from_micros(at_us)).substr(0, 19);
  text[10] = ' ';
  return text + " UTC";
}

struct words {
  const char *firing, *resolved, *acknowledged;
  const char *repeat, *escalation, *test;
};
constexpr words english{"FIRING", "RESOLVED", "ACKNOWLEDGED", "reminder", "escalation", "test"};
constexpr words korean{"발생", "해소", "확인됨", "재알림", "상위 전달", "시험"};
const words& words_of(language speaks) noexcept { return speaks == language::ko ? korean : english; }

std::string status_text(std::string_view status, language speaks) {
  const auto& w = words_of(speaks);
  return status == "resolved" ? w.resolved : status == "acknowledged" ? w.acknowledged : w.firing;
}

/// Nothing for the ordinary reasons, which the status says already.
std::string reason_text(std::string_view reason, language speaks) {
  const auto& w = words_of(speaks);
  return reason == "repeat" ? w.repeat : reason == "escalation" ? w.escalation : reason == "test" ? w.test : "";
}

std::string severity_text(std::string_view severity, language speaks) {
  if (speaks == language::en) return std::string(severity);
  constexpr std::pair<std::string_view, std::string_view> names[] = {
      {"critical", "심각"}, {"error", "오류"}, {"high", "높음"}, {"warning", "경고"},
      {"medium", "보통"},   {"low", "낮음"},   {"info", "정보"}};
  for (const auto& [name, word] : names)
    if (name == severity) return std::string(word);
  return std::string(severity);
}

std::string title_of(const noticed_alert& alert) {
  const auto summary = text_at(alert.annotations, "summary");
  return !summary.empty() ? summary : !alert.rule_name.empty() ? plain(alert.rule_name) : plain(alert.rule_id);
}

json values_of(const noticed_alert& alert, language speaks) {
  const auto labels = texts_of(alert.labels), annotations = texts_of(alert.annotations),
             values = texts_of(alert.values);
  const auto status = alert.status.empty() ? std::string("firing") : alert.status;
  return {{"alert_id", plain(alert.alert_id)},
          {"status", status},
          {"status_text", status_text(status, speaks)},
          {"severity", plain(alert.severity)},
          {"severity_text", severity_text(alert.severity, speaks)},
          {"rule_id", plain(alert.rule_id)},
          {"rule_name", plain(alert.rule_name)},
          {"key", plain(alert.key)},
          {"title", title_of(alert)},
          {"message", text_at(alert.annotations, "description")},
          {"labels", labels},
          {"labels_list", pairs_of(labels)},
          {"labels_text", joined(labels)},
          {"annotations", annotations},
          {"annotations_list", pairs_of(annotations)},
          {"values", values},
          {"values_list", pairs_of(values)},
          {"values_text", joined(values)},
          {"runbook_url", text_at(alert.annotations, "runbook_url")},
          {"started_at", time_text(alert.started_at_us)},
          {"at", time_text(alert.at_us)}};
}

constexpr std::string_view open_objects[] = {"metadata.", "labels.", "annotations.", "values."};

} // namespace

std::string cut_text(std::string_view text, std::size_t bytes_max) {
  constexpr std::string_view mark = "…";
  if (text.size() <= bytes_max) return std::string(text);
  if (bytes_max <= mark.size()) return {};
  auto keep = bytes_max - mark.size();
  while (keep > 0 && (static_cast<unsigned char>(text[keep]) & 0xc0) == 0x80) --keep;
  return std::string(text.substr(0, keep)).append(mark);
}

std::string one_line(std::string_view text, std::size_t bytes_max) {
  auto out = cut_text(text, bytes_max);
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

std::string status_of(const send_notice& notice) {
  return notice.reason == "resolved" || notice.reason == "acknowledged" ? notice.reason : "firing";
}

json notice_values(const send_notice& notice, const speaker& who) {
  const noticed_alert nothing;
  const auto& first = notice.alerts.empty() ? nothing : notice.alerts.front();
  const auto total = std::max<std::int64_t>(notice.alerts_total, static_cast<std::int64_t>(notice.alerts.size()));
  auto alerts = json::array();
  for (const auto& alert : notice.alerts)
    if (alerts.size() < alerts_shown_max) alerts.push_back(values_of(alert, who.speaks));
  const auto shown = static_cast<std::int64_t>(alerts.size());
  auto title = title_of(first);
  if (title.empty()) title = !notice.message.empty() ? one_line(notice.message, 200) : "Tobit";
  if (total > 1) title += " (+" + std::to_string(total - 1) + ")";
  const auto labels = texts_of(first.labels);
  const auto message = notice.message.empty() ? text_at(first.annotations, "description") : plain(notice.message);
  const auto status = status_of(notice);
  json out{{"alert_title", std::move(title)},
           {"alert_message", message},
           {"severity", plain(notice.severity)},
           {"severity_text", severity_text(notice.severity, who.speaks)},
           {"status", status},
           {"status_text", status_text(status, who.speaks)},
           {"reason", plain(notice.reason)},
           {"reason_text", reason_text(notice.reason, who.speaks)},
           {"rule_id", plain(first.rule_id)},
           {"rule_name", plain(first.rule_name)},
           {"policy_name", plain(notice.policy_name)},
           {"channel_name", plain(who.channel_name)},
           {"timestamp", time_text(notice.at_us)},
           {"runbook_url", text_at(first.annotations, "runbook_url")},
           {"metadata", labels},
           {"metadata_list", pairs_of(labels)},
           {"alerts", std::move(alerts)},
           {"alerts_total", std::to_string(total)},
           {"several", total > 1},
           {"more", total > shown ? std::to_string(total - shown) : std::string{}}};
  return out;
}

const std::vector<std::string_view>& notice_value_names() {
  static const std::vector<std::string_view> all{
      "alert_title",   "alert_message", "severity",     "severity_text",    "status",
      "status_text",   "reason",        "reason_text",  "rule_id",          "rule_name",
      "policy_name",   "channel_name",  "timestamp",    "runbook_url",      "metadata",
      "metadata_list", "alerts",        "alerts_total", "several",          "more",
      "alert_id",      "key",           "title",        "message",          "labels",
      "labels_list",   "labels_text",   "annotations",  "values",           "values_list",
      "values_text",   "started_at",    "at",           "annotations_list", "name",
      "value"};
  return all;
}

bool is_notice_value(std::string_view name) noexcept {
  if (name == ".") return true;
  const auto& all = notice_value_names();
  if (std::find(all.begin(), all.end(), name) != all.end()) return true;
  return std::any_of(std::begin(open_objects), std::end(open_objects), [&](std::string_view prefix) {
    return name.size() > prefix.size() && name.size() <= 120 && name.starts_with(prefix);
  });
}

std::size_t list_length_max(std::string_view name) noexcept {
  if (name == "alerts") return alerts_shown_max;
  return name.ends_with("_list") ? pairs_shown_max : 0;
}

} // namespace tobit::notify
