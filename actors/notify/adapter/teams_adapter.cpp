#include "actors/notify/adapter/answer_verdict.hpp"
#include "actors/notify/adapter/channel_adapter.hpp"
#include "actors/notify/adapter/channel_config.hpp"
#include "actors/notify/template/notice_values.hpp"

namespace tobit::notify {

namespace {

// A card is at most 28 KB: https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors
constexpr std::size_t text_bytes_max = 12'000;

/// Plain text: a TextBlock would read Markdown in what an event said, a TextRun does not.
json run_of(std::string_view text, bool large) {
  json run{{"type", "TextRun"}, {"text", text}};
  if (large) run["weight"] = "Bolder", run["size"] = "Large";
  return {{"type", "RichTextBlock"}, {"inlines", json::array({std::move(run)})}};
}

/// The style of the card's head by how bad it is.
const char* style_of(const delivery& what) {
  if (what.status == "resolved") return "good";
  if (what.severity == "critical" || what.severity == "error" || what.severity == "high") return "attention";
  return what.severity == "warning" || what.severity == "medium" ? "warning" : "accent";
}

class adapter final : public channel_adapter {
public:
  std::string_view type() const noexcept override { return "teams"; }
  bool may_repeat() const noexcept override { return false; }

  result<outgoing_message> prepare(const delivery& what, utc_time, const secret_lookup& secrets) const override {
    auto url = address_of(what.config, "webhook_url", secrets);
    if (!url) return fail(url.error());
    json head{{"type", "Container"}, {"style", style_of(what)}, {"bleed", true}};
    head["items"] = json::array({run_of(what.title, true)});
    auto body = json::array({std::move(head)});
    // One block per line: a TextRun shows no line breaks.
    const auto text = cut_text(what.text, text_bytes_max);
    for (std::size_t at = 0; at < text.size() && body.size() < 80;) {
      const auto end = std::min(text.find('\n', at), text.size());
      if (end > at) body.push_back(run_of(std::string_view(text).substr(at, end - at), false));
      at = end + 1;
    }
    json card{{"type", "AdaptiveCard"},
              {"$schema", "http://adaptivecards.io/schemas/adaptive-card.json"},
              {"version", "1.4"},
              {"msteams", {{"width", "Full"}}},
              {"body", std::move(body)}};
    json attachment{{"contentType", "application/vnd.microsoft.card.adaptive"}, {"contentUrl", nullptr}};
    attachment["content"] = std::move(card);
    outbound::http_request request;
    request.method = "POST";
    request.url = std::move(*url);
    request.headers = {{"Content-Type", "application/json"}};
    request.body = to_text(json{{"type", "message"}, {"attachments", json::array({std::move(attachment)})}});
    return request;
  }

  entity::effect_outcome judge(const outbound::http_response& response, utc_time now) const override {
    auto out = judge_status(response, {200, 202}, "Teams", now);
    // A connector answers 200 and writes into the body that Teams itself was too busy.
    if (out.status == entity::effect_outcome::status::done &&
        response.body.find("HTTP error 429") != std::string::npos) {
      out.status = entity::effect_outcome::status::retry;
      out.error = "Teams takes no more messages for now (429 behind the connector).";
    }
    return out;
  }
};

} // namespace

const channel_adapter& teams_adapter() {
  static const adapter one;
  return one;
}

} // namespace tobit::notify
