#pragma once

#include "actors/notify/template/notice_template.hpp"
#include "schemas/json.hpp"

#include <cstdint>
#include <string>

namespace tobit::notify {

/// A channel's definition, as its logic uses it.
struct channel_settings {
  std::string name, type;
  bool active = true;
  language speaks = language::en;
  json config;
  std::int64_t per_minute_max = 0, per_hour_max = 0; ///< 0: no limit
  std::string fallback;                              ///< key of another channel; empty: none
  std::int64_t attempts_max = 6;
  template_overrides templates;

  /// From a normalised definition. Throws json::exception for anything else.
  static channel_settings of(const json& definition);
};

} // namespace tobit::notify
