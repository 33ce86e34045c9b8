#pragma once

#include "schemas/channel/channel_protocol.hpp"

/// Notices that the tests of channels speak about.
namespace tobit::testing {

inline channel::noticed_alert disk_alert(std::string host = "db-1") {
  channel::noticed_alert out;
  out.alert_id = "alert-" + host;
  out.status = "firing";
  out.severity = "critical";
  out.rule_id = "r1";
  out.rule_name = "Disk full";
  out.key = "[\"" + host + "\"]";
  out.labels = {{"host", host}, {"team", "storage"}};
  out.annotations = {{"summary", "Disk of " + host + " is full"}, {"description", "/var <95%> & rising"}};
  out.values = {{"used", 97}};
  out.started_at_us = 1'795'000'000'000'000;
  out.at_us = 1'795'000'060'000'000;
  return out;
}

inline channel::send_notice disk_notice(std::string id = "n1") {
  channel::send_notice out;
  out.notice_id = std::move(id);
  out.thread = "group-1";
  out.reason = "firing";
  out.severity = "critical";
  out.policy_id = "p1";
  out.policy_name = "Storage team";
  out.alerts = {disk_alert()};
  out.alerts_total = 1;
  out.at_us = 1'795'000'060'000'000;
  out.report_kind = "alerting";
  out.report_key = "default";
  return out;
}

inline bool holds(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

} // namespace tobit::testing
