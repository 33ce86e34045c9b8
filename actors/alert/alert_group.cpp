#include "actors/alert/alert_group.hpp"

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

void to_json(json& out, const alert_group& g) {
  out = {{"key", g.key},
         {"policy", g.policy},
         {"labels", g.labels},
         {"channels", g.channels},
         {"thread", g.thread},
         {"members", g.members},
         {"flush", g.flush_us},
         {"flushed", g.flushed_us},
         {"repeat", g.repeat_us},
         {"escalate", g.escalate_us},
         {"step", g.step},
         {"round", g.round},
         {"round_start", g.round_start_us},
         {"escalated", g.escalated},
         {"held", g.held}};
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
