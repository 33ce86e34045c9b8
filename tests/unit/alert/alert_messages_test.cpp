#define CAF_SUITE alert_messages

#include "schemas/alert/alert_protocol.hpp"
#include "schemas/alert/alerting_events.hpp"
#include "schemas/channel/channel_protocol.hpp"

#include <caf/test/unit_test.hpp>

#include <cstdlib>
#include <fstream>
#include <sstream>

using namespace tobit;
using namespace tobit::alert;

namespace {

alert_changed sample() {
  alert_changed c;
  c.alert_id = "a1";
  c.change = 2;
  c.rule_id = "r1";
  c.rule_name = "cpu";
  c.rule_version = 3;
  c.key = "[\"db-1\"]";
  c.status = "firing";
  c.reason = "fires";
  c.flapping = true;
  c.severity = "high";
  c.summary = "cpu: 97";
  c.labels = {{"host", "db-1"}};
  c.annotations = {{"summary", "hot"}};
  c.values = {{"value", 97}};
  c.channels = {"ops"};
  c.message = "look";
  c.event_id = "x1";
  c.exec_id = "x1";
  c.trace_id = "t1";
  c.at_us = 5;
  c.started_at_us = 4;
  return c;
}

/// One sample of each message, with a value in every field.
std::vector<message> samples() {
  return {message::of(sample()),
          message::of(alerts_changed{{sample()}}),
          message::of(alerts_noted{1}),
          message::of(acknowledge_alert{"a1", "ann", "on it"}),
          message::of(resolve_alert{"a1", "ann", "fixed"}),
          message::of(alert_answer{{{"alert_id", "a1"}}, true}),
          message::of(put_silence{"s1", {{"comment", "disk"}}, "ann"}),
          message::of(end_silence{"s1", "ann"}),
          message::of(silence_answer{{{"silence_id", "s1"}}, 2}),
          message::of(alerting_stepped{7, 5, 4, "d1", "tobit.entity.wake.v1", json::object()})};
}

} // namespace

CAF_TEST(the messages of alerting look on the wire as they always did) {
  auto now = json::object();
  for (const auto& m : samples()) now[std::string(m.name())] = m.encode();
  const auto text = now.dump(2) + "\n";
  const std::string file = TOBIT_GOLDEN "/alert_messages.json";
  if (std::getenv("TOBIT_TEST_UPDATE")) std::ofstream{file} << text;
  std::stringstream golden;
  golden << std::ifstream{file}.rdbuf();
  if (golden.str() != text) CAF_MESSAGE("a released message is frozen; only new ones join the golden file:\n" << text);
  CAF_CHECK(golden.str() == text);
}

CAF_TEST(every message of alerting comes back as it went) {
  register_alert_messages();
  for (const auto& m : samples()) {
    const auto back = decode_message(m.name(), *parse_json(to_text(m.encode())));
    CAF_REQUIRE(back.has_value());
    CAF_CHECK(back->encode() == m.encode());
  }
}

CAF_TEST(a message that writes its text itself writes the same as its JSON) {
  for (const auto& m : samples()) {
    CAF_CHECK_EQUAL(m.text(), to_text(m.encode()));
    CAF_CHECK_EQUAL(m.written().text(), m.text());
  }
  const auto fresh = message::of(alerting_stepped{7, 5, 4, "d1", std::string(alerts_changed::wire_name), nullptr,
                                                  message::of(alerts_changed{{sample()}})});
  CAF_CHECK_EQUAL(fresh.text(), to_text(fresh.encode()));
  channel::send_notice notice;
  notice.notice_id = "n1";
  notice.alerts = {{"a1", "firing", "high", "r1", "cpu", "k", {{"host", "db"}}, {{"s", "hot"}}, {{"v", 1.5}}, 4, 5}};
  notice.tried = {"ops"};
  notice.message = "\"look\"";
  CAF_CHECK_EQUAL(message::of(notice).text(), to_text(json(notice)));
}
