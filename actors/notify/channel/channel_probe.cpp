#include "actors/notify/channel/channel_probe.hpp"

#include "actors/notify/adapter/channel_config.hpp"
#include "actors/notify/channel/channel_settings.hpp"
#include "actors/notify/channel/delivery_plan.hpp"

namespace tobit::notify {

namespace {

channel::send_notice test_notice(const channel_settings& settings, const call_context& context, utc_time now) {
  const bool korean = settings.speaks == language::ko;
  channel::send_notice out;
  out.notice_id = new_uuid();
  out.thread = out.notice_id;
  out.reason = "test";
  out.severity = "info";
  out.message = korean ? "Tobit이 보낸 시험 알림입니다. 아무 조치도 필요하지 않습니다."
                       : "This is a test message from Tobit. Nothing needs to be done.";
  channel::noticed_alert alert;
  alert.alert_id = out.notice_id;
  alert.status = "firing";
  alert.severity = "info";
  alert.rule_name = korean ? "시험 알림" : "Test message";
  alert.labels = {{"asked_by", context.who->principal.value}};
  alert.annotations = {{"summary", alert.rule_name}};
  alert.at_us = alert.started_at_us = to_micros(now);
  out.alerts.push_back(std::move(alert));
  out.alerts_total = 1;
  out.at_us = to_micros(now);
  return out;
}

std::string confirmation(const entity::effect_outcome& end, const std::string& recipient) {
  std::string out = "The test message was sent";
  if (!recipient.empty()) out += " to " + recipient;
  out += '.';
  const auto refused = end.answer.is_object() ? end.answer.find("refused") : end.answer.end();
  if (end.answer.is_object() && refused != end.answer.end())
    for (const auto& one : *refused)
      out += " Not to " + one.value("recipient", "") + ": " + one.value("reply", "") + '.';
  return out;
}

} // namespace

void channel_probe::test(const entity_ref& channel, const json& definition, const call_context& context,
                         std::function<void(result<notice::channel_test_outcome>)> done) {
  auto checked = normalise_channel(channel, definition, nullptr, rules_);
  if (!checked) return done(fail(checked.error()));
  const auto settings = channel_settings::of(*checked);
  const auto* adapter = find_adapter(settings.type);
  std::string recipient;
  if (adapter->one_by_one()) recipient = config_list(settings.config, "recipients").front();
  const auto what = plan_delivery(channel, settings, test_notice(settings, context, time_.now()), recipient, nullptr);
  auto message = sender_.prepare(*adapter, what);
  if (!message) return done(notice::channel_test_outcome{false, std::string(message.error().text())});
  sender_.send(*adapter, std::move(*message), [recipient, done = std::move(done)](const entity::effect_outcome& end) {
    const bool success = end.status == entity::effect_outcome::status::done;
    done(notice::channel_test_outcome{success, success ? confirmation(end, recipient) : end.error});
  });
}

} // namespace tobit::notify
