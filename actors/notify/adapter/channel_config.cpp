#include "actors/notify/adapter/channel_config.hpp"

#include "actors/notify/secret_reference.hpp"

namespace tobit::notify {

std::string config_text(const json& config, const char* name) {
  const auto found = config.find(name);
  return found == config.end() || !found->is_string() ? std::string{} : found->get<std::string>();
}

std::string config_url(const json& config, const char* name) {
  auto url = config_text(config, name);
  while (!url.empty() && url.back() == '/') url.pop_back();
  return url;
}

std::vector<std::string> config_list(const json& config, const char* name) {
  std::vector<std::string> out;
  const auto found = config.find(name);
  if (found != config.end() && found->is_array())
    for (const auto& one : *found)
      if (one.is_string()) out.push_back(one.get<std::string>());
  return out;
}

result<std::string> address_of(const json& config, const char* name, const secret_lookup& secrets) {
  auto text = config_text(config, name);
  if (!is_secret_reference(text)) return text;
  return secrets(text);
}

const channel_adapter* find_adapter(std::string_view type) noexcept {
  for (const auto* one :
       {&slack_adapter(), &email_adapter(), &sms_adapter(), &webhook_adapter(), &teams_adapter(), &pagerduty_adapter()})
    if (one->type() == type) return one;
  return nullptr;
}

} // namespace tobit::notify
