#include "actors/notify/adapter/answer_verdict.hpp"
#include "actors/notify/adapter/channel_adapter.hpp"
#include "actors/notify/adapter/channel_config.hpp"
#include "actors/notify/adapter/signature.hpp"
#include "actors/notify/secret_reference.hpp"

namespace tobit::notify {

namespace {

class adapter final : public channel_adapter {
public:
  std::string_view type() const noexcept override { return "webhook"; }
  bool may_repeat() const noexcept override { return true; } // Idempotency-Key

  result<outgoing_message> prepare(const delivery& what, utc_time now, const secret_lookup& secrets) const override {
    outbound::http_request request;
    request.method = "POST";
    request.url = config_text(what.config, "url");
    request.body =
        to_text(json{{"title", what.title},
                     {"body", what.text},
                     {"recipients", what.recipients.empty() ? config_list(what.config, "recipients") : what.recipients},
                     {"metadata", what.metadata},
                     {"timestamp", to_rfc3339(from_micros(what.at_us))}});
    request.headers = {{"Content-Type", "application/json"}, {"Idempotency-Key", what.key}};
    const auto headers = what.config.find("headers");
    if (headers != what.config.end())
      for (const auto& [name, value] : headers->items()) {
        auto text = value.get<std::string>();
        if (is_secret_reference(text)) {
          auto secret = secrets(text);
          if (!secret) return fail(secret.error());
          text = std::move(*secret);
        }
        request.headers.emplace_back(name, std::move(text));
      }
    if (const auto reference = config_text(what.config, "secret"); !reference.empty()) {
      auto secret = secrets(reference);
      if (!secret) return fail(secret.error());
      // The time of the attempt: a receiver may refuse what is old, and with it what was recorded and sent again.
      const auto seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
      const auto timestamp = std::to_string(seconds);
      request.headers.emplace_back("X-Tobit-Timestamp", timestamp);
      request.headers.emplace_back("X-Tobit-Signature",
                                   "sha256=" + hmac_sha256(*secret, timestamp + '.' + request.body));
    }
    return request;
  }

  entity::effect_outcome judge(const outbound::http_response& response, utc_time now) const override {
    return judge_status(response, {200, 201, 202, 204}, "The webhook", now);
  }
};

} // namespace

const channel_adapter& webhook_adapter() {
  static const adapter one;
  return one;
}

} // namespace tobit::notify
