#include "actors/alert/names.hpp"

#include "actors/rule/action_definition.hpp"

#include <algorithm>
#include <cctype>

namespace tobit::alert {

std::string read_id(rule::field_reader& in, std::string_view name, std::optional<std::string> otherwise) {
  auto id = in.text(name, {1, 100}, std::move(otherwise));
  const auto fits = [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '_' || c == '.' || c == ':'; };
  if (!std::all_of(id.begin(), id.end(), fits))
    in.refuse(name, "An identifier holds letters, digits, '-', '_', '.' and ':' only.");
  return id;
}

json read_channels(rule::field_reader& in) {
  auto channels = in.texts("channels", {1, 200}, channels_max);
  std::sort(channels.begin(), channels.end());
  channels.erase(std::unique(channels.begin(), channels.end()), channels.end());
  return channels;
}

int severity_rank(std::string_view severity) noexcept {
  const auto& all = rule::severities();
  const auto found = std::find(all.begin(), all.end(), severity);
  return found == all.end() ? -1 : static_cast<int>(found - all.begin());
}

} // namespace tobit::alert
