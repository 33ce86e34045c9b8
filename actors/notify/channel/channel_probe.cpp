#include "actors/notify/channel/channel_probe.hpp"

#include "actors/notify/adapter/channel_config.hpp"
#include "actors/notify/channel/channel_settings.hpp"
#include "actors/notify/channel/delivery_plan.hpp"

#include <atomic>
#include <memory>

namespace tobit::notify {

namespace {

constexpr std::size_t recipients_max = 10; ///< who are told by themselves: each costs a message

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

/// What an adapter says of recipients that it told together with others.
std::string refused(const json& answer) {
  std::string out;
  if (!answer.is_object() || !answer.contains("refused")) return out;
  for (const auto& one : answer["refused"])
    out += " Not to " + one.value("recipient", "") + ": " + one.value("reply", "") + '.';
  return out;
}

/// Several messages on their way; each ends on whatever thread it likes, and the last one answers.
struct test_round {
  std::vector<std::string> recipients; ///< one empty one: whoever the channel reaches
  std::vector<entity::effect_outcome> ends;
  std::atomic<std::size_t> open;
  std::size_t left_out = 0;
  std::function<void(result<notice::channel_test_outcome>)> done;

  void ended(std::size_t place, entity::effect_outcome end) {
    ends[place] = std::move(end);
    if (open.fetch_sub(1, std::memory_order_acq_rel) == 1) done(outcome());
  }
  notice::channel_test_outcome outcome() const {
    std::string sent, not_sent;
    for (std::size_t i = 0; i < ends.size(); ++i) {
      const auto& who = recipients[i];
      if (ends[i].status != entity::effect_outcome::status::done)
        not_sent += who.empty() ? ends[i].error : " Not to " + who + ": " + ends[i].error;
      else if (!who.empty())
        sent += (sent.empty() ? " to " : ", ") + who;
    }
    const bool all = not_sent.empty(), none = !all && sent.empty();
    auto said = none ? (recipients[0].empty() ? "" : "The test message was not sent.") + not_sent
                     : "The test message was sent" + sent + '.' + not_sent;
    for (const auto& end : ends) said += refused(end.answer);
    if (left_out > 0) said += " Not tried: " + std::to_string(left_out) + " further recipients.";
    return {all, std::move(said)};
  }
};

} // namespace

void channel_probe::test(const entity_ref& channel, const json& definition, const call_context& context,
                         std::function<void(result<notice::channel_test_outcome>)> done) {
  auto checked = normalise_channel(channel, definition, nullptr, rules_);
  if (!checked) return done(fail(checked.error()));
  const auto settings = channel_settings::of(*checked);
  const auto* adapter = find_adapter(settings.type);
  auto round = std::make_shared<test_round>();
  round->recipients = adapter->one_by_one() ? config_list(settings.config, "recipients") : std::vector<std::string>{""};
  if (round->recipients.size() > recipients_max) {
    round->left_out = round->recipients.size() - recipients_max;
    round->recipients.resize(recipients_max);
  }
  round->ends.resize(round->recipients.size());
  round->open = round->recipients.size();
  round->done = std::move(done);
  const auto notice = test_notice(settings, context, time_.now());
  for (std::size_t i = 0; i < round->recipients.size(); ++i) {
    const auto what = plan_delivery(channel, settings, notice, round->recipients[i], nullptr);
    auto message = sender_.prepare(*adapter, what);
    if (!message) {
      entity::effect_outcome unsent;
      unsent.status = entity::effect_outcome::status::failed;
      unsent.error = message.error().text();
      round->ended(i, std::move(unsent));
      continue;
    }
    sender_.send(*adapter, std::move(*message),
                 [round, i](const entity::effect_outcome& end) { round->ended(i, end); });
  }
}

} // namespace tobit::notify
