#include "schemas/channel/channel_protocol.hpp"

#include "schemas/channel/channel_events.hpp"
#include "schemas/json_text.hpp"

namespace tobit::channel {

void write_text(std::string& out, const noticed_alert& a) {
  object_text{out}
      .text("alert_id", a.alert_id)
      .value("annotations", a.annotations)
      .number("at_us", a.at_us)
      .text("key", a.key)
      .value("labels", a.labels)
      .text("rule_id", a.rule_id)
      .text("rule_name", a.rule_name)
      .text("severity", a.severity)
      .number("started_at_us", a.started_at_us)
      .text("status", a.status)
      .value("values", a.values)
      .end();
}

void write_text(std::string& out, const send_notice& n) {
  object_text object{out};
  append_array(object.begin("alerts"), n.alerts,
               [](std::string& to, const noticed_alert& one) { write_text(to, one); });
  object.number("alerts_total", n.alerts_total)
      .number("at_us", n.at_us)
      .text("message", n.message)
      .text("notice_id", n.notice_id)
      .text("policy_id", n.policy_id)
      .text("policy_name", n.policy_name)
      .text("reason", n.reason)
      .text("report_key", n.report_key)
      .text("report_kind", n.report_kind)
      .text("severity", n.severity)
      .text("thread", n.thread)
      .texts("tried", n.tried)
      .end();
}

void register_channel_messages() {
  register_messages<send_notice, notice_taken, notice_settled, replay_notice, notice_accepted, notice_dropped,
                    part_settled, notice_passed_on, notice_ended>();
}

} // namespace tobit::channel
