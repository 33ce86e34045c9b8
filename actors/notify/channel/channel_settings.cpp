#include "actors/notify/channel/channel_settings.hpp"

namespace tobit::notify {

channel_settings channel_settings::of(const json& definition) {
  channel_settings out;
  out.name = definition.at("name").get<std::string>();
  out.type = definition.at("type").get<std::string>();
  out.active = definition.at("is_active").get<bool>();
  out.speaks = definition.at("language") == "ko" ? language::ko : language::en;
  out.config = definition.at("config");
  out.per_minute_max = definition.at("rate_limit").at("max_per_minute").get<std::int64_t>();
  out.per_hour_max = definition.at("rate_limit").at("max_per_hour").get<std::int64_t>();
  if (const auto& fallback = definition.at("fallback"); fallback.is_string()) out.fallback = fallback;
  out.attempts_max = definition.at("attempts_max").get<std::int64_t>();
  const auto& templates = definition.at("templates");
  out.templates = {templates.value("title", ""), templates.value("text", ""), templates.value("html", "")};
  return out;
}

} // namespace tobit::notify
