#define CAF_SUITE alert_payload

#include "http/codec/alert_payload.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;
using namespace tobit::http;

namespace {

/// As Alertmanager 0.25 sends it.
json alertmanager_payload() {
  return json::parse(R"({"receiver":"tobit","status":"firing","alerts":[
    {"status":"firing","labels":{"alertname":"HighLatency","instance":"db:9100","severity":"critical"},
     "annotations":{"summary":"slow"},"startsAt":"2026-11-20T08:30:00.123456789Z","endsAt":"0001-01-01T00:00:00Z",
     "generatorURL":"http://prom:9090/graph?g0.expr=x","fingerprint":"1a30ba71cca2921f"},
    {"status":"resolved","labels":{"alertname":"HighLatency","instance":"web:9100"},"annotations":{},
     "startsAt":"2026-11-20T08:00:00Z","endsAt":"2026-11-20T08:10:00Z","generatorURL":"","fingerprint":"c6eadffa33fcdf37"}],
    "groupLabels":{"alertname":"HighLatency"},"commonLabels":{"alertname":"HighLatency"},"commonAnnotations":{},
    "externalURL":"http://alertmanager:9093","version":"4","groupKey":"{}:{alertname=\"HighLatency\"}",
    "truncatedAlerts":2})");
}

/// As Grafana 11 sends it.
json grafana_payload() {
  return json::parse(R"({"receiver":"My Super Webhook","status":"firing","orgId":1,"alerts":[
    {"status":"firing","labels":{"alertname":"High memory usage","team":"blue"},"annotations":{"summary":"s"},
     "startsAt":"2021-10-12T09:51:03.157076+02:00","endsAt":"0001-01-01T00:00:00Z",
     "generatorURL":"https://play.grafana.org/alerting/1afz29v7z/edit","fingerprint":"c6eadffa33fcdf37",
     "silenceURL":"https://play.grafana.org/s","dashboardURL":"","panelURL":"","values":{"B":44.2,"C":1}}],
    "groupLabels":{},"commonLabels":{"team":"blue"},"commonAnnotations":{},"externalURL":"https://play.grafana.org/",
    "version":"1","groupKey":"{}:{}","truncatedAlerts":0,"title":"[FIRING:1]","state":"alerting","message":"m"})");
}

std::string pointer_of(alert_sender sender, const json& payload) {
  const auto read = read_alert_payload(sender, payload);
  if (!read) return read.error().pointer;
  return read->rejected.empty() ? "accepted" : read->rejected.front().reason.pointer;
}

json with(const char* pointer, json value) {
  auto payload = alertmanager_payload();
  payload[json::json_pointer(pointer)] = std::move(value);
  return payload;
}

} // namespace

CAF_TEST(each alert of Alertmanager becomes an event) {
  const auto read = read_alert_payload(alert_sender::alertmanager, alertmanager_payload());
  CAF_REQUIRE(read.has_value());
  CAF_REQUIRE_EQUAL(read->events.size(), 2u);
  const auto& firing = read->events[0];
  CAF_CHECK_EQUAL(firing["specversion"], "1.0");
  CAF_CHECK_EQUAL(firing["type"], "alertmanager.alert.firing");
  CAF_CHECK_EQUAL(firing["source"], "http://alertmanager:9093");
  CAF_CHECK_EQUAL(firing["subject"], "1a30ba71cca2921f");
  CAF_CHECK_EQUAL(firing["time"], "2026-11-20T08:30:00.123456Z");
  CAF_CHECK_EQUAL(firing["data"]["labels"]["severity"], "critical");
  CAF_CHECK_EQUAL(firing["data"]["receiver"], "tobit");
  CAF_CHECK_EQUAL(firing["data"]["groupLabels"]["alertname"], "HighLatency");
  CAF_CHECK_EQUAL(read->events[1]["type"], "alertmanager.alert.resolved");
  CAF_CHECK_EQUAL(read->events[1]["time"], "2026-11-20T08:10:00.000000Z");
  CAF_CHECK_EQUAL(read->truncated, 2u);
}

CAF_TEST(an alert of Grafana keeps its values and links) {
  const auto read = read_alert_payload(alert_sender::grafana, grafana_payload());
  CAF_REQUIRE(read.has_value());
  const auto& one = read->events.at(0);
  CAF_CHECK_EQUAL(one["type"], "grafana.alert.firing");
  CAF_CHECK_EQUAL(one["data"]["values"]["B"], 44.2);
  CAF_CHECK_EQUAL(one["data"]["silenceURL"], "https://play.grafana.org/s");
  CAF_CHECK_EQUAL(one["time"], "2021-10-12T07:51:03.157076Z");
}

CAF_TEST(what is sent again has the same id and a change of status another) {
  const auto id = [](const json& payload) {
    return read_alert_payload(alert_sender::alertmanager, payload)->events.at(0)["id"].get<std::string>();
  };
  const auto first = id(alertmanager_payload());
  CAF_CHECK_EQUAL(id(alertmanager_payload()), first);
  CAF_CHECK_EQUAL(id(with("/alerts/0/annotations/summary", "slower")), first);
  CAF_CHECK_NOT_EQUAL(id(with("/alerts/0/status", "resolved")), first);
  CAF_CHECK_NOT_EQUAL(id(with("/alerts/0/startsAt", "2026-11-20T09:30:00Z")), first);
  CAF_CHECK_NOT_EQUAL(id(with("/alerts/0/fingerprint", "other")), first);
}

CAF_TEST(an alert without a fingerprint is known by its labels) {
  const auto subject = [](json payload) {
    payload["alerts"][0].erase("fingerprint");
    return read_alert_payload(alert_sender::alertmanager, payload)->events.at(0)["subject"];
  };
  const auto before = subject(alertmanager_payload());
  CAF_CHECK_EQUAL(subject(alertmanager_payload()), before);
  CAF_CHECK_NOT_EQUAL(subject(with("/alerts/0/labels/instance", "db:9101")), before);
}

CAF_TEST(a source is a URI reference whatever the sender calls itself) {
  auto payload = alertmanager_payload();
  payload["externalURL"] = "";
  payload["receiver"] = "night shift <ops>";
  const auto read = read_alert_payload(alert_sender::alertmanager, payload);
  CAF_CHECK_EQUAL(read->events.at(0)["source"], "/alertmanager/night%20shift%20%3Cops%3E");
}

CAF_TEST(what is no notification is refused with its field) {
  const auto am = alert_sender::alertmanager;
  CAF_CHECK_EQUAL(pointer_of(am, with("/version", "3")), "/version");
  CAF_CHECK_EQUAL(pointer_of(am, with("/version", 4)), "/version");
  CAF_CHECK_EQUAL(pointer_of(am, grafana_payload()), "/orgId");
  CAF_CHECK_EQUAL(pointer_of(alert_sender::grafana, alertmanager_payload()), "/version");
  CAF_CHECK_EQUAL(pointer_of(am, with("/alerts", json::object())), "/alerts");
  CAF_CHECK_EQUAL(pointer_of(am, with("/alerts", nullptr)), "/alerts");
  CAF_CHECK_EQUAL(pointer_of(am, with("/truncatedAlerts", -1)), "/truncatedAlerts");
}

CAF_TEST(an alert that cannot be read is refused by itself) {
  const auto am = alert_sender::alertmanager;
  CAF_CHECK_EQUAL(pointer_of(am, with("/alerts/1", 7)), "/alerts/1");
  CAF_CHECK_EQUAL(pointer_of(am, with("/alerts/1/status", "pending")), "/alerts/1/status");
  CAF_CHECK_EQUAL(pointer_of(am, with("/alerts/1/labels", nullptr)), "/alerts/1/labels");
  CAF_CHECK_EQUAL(pointer_of(am, with("/alerts/1/labels/n", 7)), "/alerts/1/labels/n");
  CAF_CHECK_EQUAL(pointer_of(am, with("/alerts/1/annotations", "x")), "/alerts/1/annotations");
  CAF_CHECK_EQUAL(pointer_of(am, with("/alerts/1/startsAt", "yesterday")), "/alerts/1/startsAt");
  CAF_CHECK_EQUAL(pointer_of(am, with("/alerts/1/startsAt", "0001-01-01T00:00:00Z")), "/alerts/1/startsAt");
  CAF_CHECK_EQUAL(pointer_of(am, with("/alerts/1/fingerprint", std::string(300, 'f'))), "/alerts/1/fingerprint");
  const auto read = read_alert_payload(am, with("/alerts/0/status", "odd"));
  CAF_CHECK_EQUAL(read->events.size(), 1u);
  CAF_CHECK_EQUAL(read->alerts.at(0), 1u);
  event::ingest_report report;
  report.rejected.push_back({0, {error_code::validation_error, "too large"}});
  report.rejected_total = 1;
  const auto told = report_of_alerts(*read, report);
  CAF_CHECK_EQUAL(told.rejected_total, 2u);
  CAF_CHECK_EQUAL(told.rejected.at(0).index, 0u);
  CAF_CHECK_EQUAL(told.rejected.at(1).index, 1u);
}
