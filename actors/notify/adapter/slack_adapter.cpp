#include "actors/notify/adapter/answer_verdict.hpp"
#include "actors/notify/adapter/channel_adapter.hpp"
#include "actors/notify/adapter/channel_config.hpp"
#include "actors/notify/template/notice_template.hpp"

#include <algorithm>

namespace tobit::notify {

namespace {

// https://docs.slack.dev/reference/block-kit/blocks: the longest header and section, and a sane number of them.
constexpr std::size_t header_characters_max = 150, section_characters_max = 3'000, sections_max = 5;

/// Takes at most `bytes_max` off the front of `text`, at a line's end if there is one.
std::string take_section(std::string_view& text) {
  auto size = std::min(text.size(), section_characters_max);
  if (size < text.size()) {
    const auto line = text.rfind('\n', size - 1);
    if (line != text.npos && line > 0)
      size = line;
    else
      while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) --size;
  }
  const auto piece = text.substr(0, size);
  text.remove_prefix(size);
  while (!text.empty() && text.front() == '\n') text.remove_prefix(1);
  return std::string(piece);
}

json blocks_of(const delivery& what) {
  auto blocks = json::array();
  blocks.push_back(
      {{"type", "header"},
       {"text", {{"type", "plain_text"}, {"text", cut_text(what.title, header_characters_max)}, {"emoji", false}}}});
  std::string_view rest = what.text;
  for (std::size_t i = 0; i < sections_max && !rest.empty(); ++i)
    blocks.push_back({{"type", "section"}, {"text", {{"type", "mrkdwn"}, {"text", take_section(rest)}}}});
  return blocks;
}

/// Errors of the Web API after which the same call may succeed
/// (https://docs.slack.dev/reference/methods/chat.postMessage).
bool passes(std::string_view error) noexcept {
  constexpr std::string_view passing[] = {"ratelimited",         "rate_limited",    "internal_error",   "fatal_error",
                                          "service_unavailable", "request_timeout", "team_added_to_org"};
  return std::find(std::begin(passing), std::end(passing), error) != std::end(passing);
}

class adapter final : public channel_adapter {
public:
  std::string_view type() const noexcept override { return "slack"; }
  bool may_repeat() const noexcept override { return false; } // Slack posts a repeated message again
  bool place_comes_later(const json& config) const override { return config.contains("bot_token"); }

  result<outgoing_message> prepare(const delivery& what, utc_time, const secret_lookup& secrets) const override {
    outbound::http_request request;
    request.method = "POST";
    request.headers = {{"Content-Type", "application/json; charset=utf-8"}};
    json body{{"text", escape_for(escaping::slack, what.title)}, {"blocks", blocks_of(what)}};
    if (what.config.contains("bot_token")) {
      auto token = secrets(config_text(what.config, "bot_token"));
      if (!token) return fail(token.error());
      request.url = config_url(what.config, "api_url") + "/chat.postMessage";
      request.headers.emplace_back("Authorization", "Bearer " + *token);
      body["channel"] = config_text(what.config, "channel");
      body["unfurl_links"] = false;
      for (const char* name : {"username", "icon_emoji"})
        if (what.config.contains(name)) body[name] = what.config[name];
      if (what.place.is_object() && what.place.contains("ts")) {
        body["thread_ts"] = what.place["ts"];
        // The id that Slack answered with: a thread belongs to the channel it was begun in.
        if (what.place.contains("channel")) body["channel"] = what.place["channel"];
      }
    } else {
      auto url = address_of(what.config, "webhook_url", secrets);
      if (!url) return fail(url.error());
      request.url = std::move(*url);
    }
    request.body = to_text(body);
    return request;
  }

  entity::effect_outcome judge(const outbound::http_response& response, utc_time now) const override {
    auto out = judge_status(response, {200}, "Slack", now);
    if (out.status != entity::effect_outcome::status::done) return out;
    const auto body = parse_json(response.body);
    if (!body || !body->is_object() || !body->contains("ok")) return out; // an incoming webhook answers "ok"
    if (body->value("ok", json()) == true) {
      if (body->value("ts", json()).is_string())
        out.answer["place"] = {{"ts", (*body)["ts"]}, {"channel", body->value("channel", json())}};
      return out;
    }
    const auto given = body->value("error", json());
    const auto name = given.is_string() ? one_line(given.get<std::string>(), 100) : std::string("an error");
    out.status = passes(name) ? entity::effect_outcome::status::retry : entity::effect_outcome::status::failed;
    out.error = "Slack refused the message: " + name + '.';
    return out;
  }
};

} // namespace

const channel_adapter& slack_adapter() {
  static const adapter one;
  return one;
}

} // namespace tobit::notify
