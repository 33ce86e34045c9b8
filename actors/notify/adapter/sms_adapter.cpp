#include "actors/notify/adapter/answer_verdict.hpp"
#include "actors/notify/adapter/channel_adapter.hpp"
#include "actors/notify/adapter/channel_config.hpp"
#include "actors/notify/adapter/signature.hpp"
#include "actors/notify/adapter/sms_text.hpp"
#include "runtime/outbound/query.hpp"

namespace tobit::notify {

namespace {

/// `application/x-www-form-urlencoded`, through the same percent encoding as a query.
std::string form_of(const json& fields) { return outbound::with_query("", fields).substr(1); }

class adapter final : public channel_adapter {
public:
  std::string_view type() const noexcept override { return "sms"; }
  bool may_repeat() const noexcept override { return false; } // each message is paid for and wakes somebody
  bool one_by_one() const noexcept override { return true; }

  // https://www.twilio.com/docs/messaging/api/message-resource
  result<outgoing_message> prepare(const delivery& what, utc_time, const secret_lookup& secrets) const override {
    if (what.recipients.size() != 1) return fail(error_code::validation_error, "A text message has one recipient.");
    auto token = secrets(config_text(what.config, "auth_token"));
    if (!token) return fail(token.error());
    const auto account = config_text(what.config, "account_sid");
    const auto longest = what.config.value("max_characters", std::int64_t{160});
    outbound::http_request request;
    request.method = "POST";
    request.url = config_url(what.config, "base_url") + "/2010-04-01/Accounts/" + account + "/Messages.json";
    request.headers = {{"Content-Type", "application/x-www-form-urlencoded"},
                       {"Authorization", "Basic " + base64(account + ':' + *token)}};
    request.body = form_of({{"To", what.recipients.front()},
                            {"From", config_text(what.config, "from_number")},
                            {"Body", cut_sms(what.text, static_cast<std::size_t>(longest))}});
    return request;
  }

  entity::effect_outcome judge(const outbound::http_response& response, utc_time now) const override {
    auto out = judge_status(response, {201}, "The SMS service", now);
    const auto body = parse_json(response.body);
    if (body && body->is_object() && body->value("sid", json()).is_string()) out.answer["sid"] = (*body)["sid"];
    return out;
  }
};

} // namespace

const channel_adapter& sms_adapter() {
  static const adapter one;
  return one;
}

} // namespace tobit::notify
