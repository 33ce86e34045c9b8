#include "actors/notify/adapter/answer_verdict.hpp"
#include "actors/notify/adapter/channel_adapter.hpp"
#include "actors/notify/adapter/channel_config.hpp"
#include "actors/notify/template/notice_values.hpp"

namespace tobit::notify {

namespace {

// https://developer.pagerduty.com/docs/send-alert-event
constexpr std::size_t summary_bytes_max = 1'024, key_bytes_max = 255, details_bytes_max = 200'000;

const char* action_of(const delivery& what) {
  return what.status == "resolved" ? "resolve" : what.status == "acknowledged" ? "acknowledge" : "trigger";
}

/// PagerDuty knows four severities.
std::string severity_of(const delivery& what) {
  const auto& s = what.severity;
  if (s == "critical" || s == "error" || s == "warning" || s == "info") return s;
  if (s == "high") return "error";
  if (s == "medium") return "warning";
  if (s == "low") return "info";
  const auto otherwise = config_text(what.config, "default_severity");
  return otherwise.empty() ? "error" : otherwise;
}

/// The incident: what belongs together, or this notice alone.
std::string incident_of(const delivery& what) {
  const auto& key = what.thread.empty() ? what.key : what.thread;
  return key.size() <= key_bytes_max ? key : cut_text(key, key_bytes_max - 40) + what.channel.substr(0, 8);
}

class adapter final : public channel_adapter {
public:
  std::string_view type() const noexcept override { return "pagerduty"; }
  bool may_repeat() const noexcept override { return true; } // dedup_key

  result<outgoing_message> prepare(const delivery& what, utc_time, const secret_lookup& secrets) const override {
    auto routing_key = secrets(config_text(what.config, "integration_key"));
    if (!routing_key) return fail(routing_key.error());
    json payload{{"summary", cut_text(what.title, summary_bytes_max)},
                 {"source", config_text(what.config, "source")},
                 {"severity", severity_of(what)},
                 {"timestamp", to_rfc3339(from_micros(what.at_us))}};
    for (const char* name : {"component", "group"})
      if (what.config.contains(name)) payload[name] = what.config[name];
    payload["custom_details"] = {{"text", what.text}};
    if (to_text(what.metadata).size() <= details_bytes_max) payload["custom_details"]["metadata"] = what.metadata;
    json event{{"routing_key", *routing_key},
               {"event_action", action_of(what)},
               {"dedup_key", incident_of(what)},
               {"payload", std::move(payload)},
               {"client", "Tobit"}};
    outbound::http_request request;
    request.method = "POST";
    request.url = config_url(what.config, "base_url") + "/v2/enqueue";
    request.headers = {{"Content-Type", "application/json"}};
    request.body = to_text(event);
    return request;
  }

  entity::effect_outcome judge(const outbound::http_response& response, utc_time now) const override {
    return judge_status(response, {202}, "PagerDuty", now);
  }
};

} // namespace

const channel_adapter& pagerduty_adapter() {
  static const adapter one;
  return one;
}

} // namespace tobit::notify
