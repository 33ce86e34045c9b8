#include "schemas/alert/alert_protocol.hpp"

#include "schemas/alert/alerting_events.hpp"
#include "schemas/json_text.hpp"

namespace tobit::alert {

void write_text(std::string& out, const alert_changed& c) {
  object_text{out}
      .text("alert_id", c.alert_id)
      .value("annotations", c.annotations)
      .number("at_us", c.at_us)
      .number("change", c.change)
      .texts("channels", c.channels)
      .text("event_id", c.event_id)
      .text("exec_id", c.exec_id)
      .flag("flapping", c.flapping)
      .text("key", c.key)
      .value("labels", c.labels)
      .text("message", c.message)
      .text("reason", c.reason)
      .text("rule_id", c.rule_id)
      .text("rule_name", c.rule_name)
      .number("rule_version", c.rule_version)
      .text("severity", c.severity)
      .number("started_at_us", c.started_at_us)
      .text("status", c.status)
      .text("summary", c.summary)
      .text("trace_id", c.trace_id)
      .value("values", c.values)
      .end();
}

void write_text(std::string& out, const alerts_changed& m) {
  object_text object{out};
  append_array(object.begin("changes"), m.changes,
               [](std::string& to, const alert_changed& one) { write_text(to, one); });
  object.end();
}

void write_text(std::string& out, const alerting_stepped& m) {
  object_text{out}
      .number("at_us", m.at_us)
      .written("body", m.said ? m.said.text() : to_text(m.body))
      .text("id", m.id)
      .number("latest_us", m.latest_us)
      .text("name", m.name)
      .number("sequence", m.sequence)
      .end();
}

void to_json(json& out, const alerting_stepped& m) {
  out = {{"sequence", m.sequence},   {"at_us", m.at_us},
         {"latest_us", m.latest_us}, {"id", m.id},
         {"name", m.name},           {"body", m.said ? m.said.encode() : m.body}};
}

void from_json(const json& in, alerting_stepped& m) {
  m = {in.value("sequence", std::int64_t{0}),
       in.value("at_us", std::int64_t{0}),
       in.value("latest_us", std::int64_t{0}),
       in.value("id", std::string{}),
       in.value("name", std::string{}),
       in.value("body", json()),
       {}};
}

void register_alert_messages() {
  register_messages<alert_changed, alerts_changed, alerts_noted, acknowledge_alert, resolve_alert, alert_answer,
                    put_silence, end_silence, silence_answer, alerting_stepped>();
}

} // namespace tobit::alert
