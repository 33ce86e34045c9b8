#include "actors/alert/alert_group.hpp"

#include "schemas/json_text.hpp"

namespace tobit::alert {

std::int64_t alert_group::due_us() const noexcept {
  std::int64_t due = 0;
  for (const auto at : {flush_us, repeat_us, escalate_us})
    if (at != 0 && (due == 0 || at < due)) due = at;
  return due;
}

void alert_group::shift(std::int64_t by_us) noexcept {
  for (auto* at : {&flush_us, &flushed_us, &repeat_us, &escalate_us, &round_start_us})
    if (*at != 0) *at -= by_us;
}

void write_text(std::string& out, const alert_group& g) {
  object_text object{out};
  object.texts("channels", g.channels)
      .number("escalate", g.escalate_us)
      .flag("escalated", g.escalated)
      .number("flush", g.flush_us)
      .number("flushed", g.flushed_us)
      .text("held", g.held)
      .text("key", g.key)
      .text("labels", g.labels);
  auto& members = object.begin("members") += '{';
  for (const auto& [id, told] : g.members) {
    if (members.back() != '{') members += ',';
    append_quoted(members, id);
    members += told ? ":true" : ":false";
  }
  members += '}';
  object.text("policy", g.policy)
      .number("repeat", g.repeat_us)
      .number("round", g.round)
      .number("round_start", g.round_start_us)
      .number("step", static_cast<std::int64_t>(g.step))
      .text("thread", g.thread)
      .end();
}

void from_json(const json& in, alert_group& g) {
  g.key = in.at("key").get<std::string>();
  g.policy = in.at("policy").get<std::string>();
  g.labels = in.at("labels").get<std::string>();
  g.channels = in.at("channels").get<std::vector<std::string>>();
  g.thread = in.at("thread").get<std::string>();
  g.members = in.at("members").get<std::map<std::string, bool>>();
  g.flush_us = in.at("flush").get<std::int64_t>();
  g.flushed_us = in.at("flushed").get<std::int64_t>();
  g.repeat_us = in.at("repeat").get<std::int64_t>();
  g.escalate_us = in.at("escalate").get<std::int64_t>();
  g.step = in.at("step").get<std::size_t>();
  g.round = in.at("round").get<std::int64_t>();
  g.round_start_us = in.at("round_start").get<std::int64_t>();
  g.escalated = in.at("escalated").get<bool>();
  g.held = in.at("held").get<std::string>();
}

} // namespace tobit::alert
