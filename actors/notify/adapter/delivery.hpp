#pragma once

#include "schemas/json.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tobit::notify {

/// The effect that hands one notice, or one recipient's part of it, to whoever is behind a channel.
inline constexpr std::string_view channel_effect = "channel_send";

/// The body of that effect: all that an attempt needs, so that a channel changed in the meantime changes nothing. Holds
/// references to secrets, never secrets.
struct delivery {
  std::string channel, type; ///< the channel's key and type
  json config;
  std::string key; ///< the same for every attempt and replay of this notice to this receiver: 32 hexadecimal digits
  std::int64_t attempts_max = 6;
  std::string title, text, html;        ///< rendered, see `rendered_notice`
  std::string status, reason, severity; ///< status: firing | resolved | acknowledged
  std::string thread;                   ///< what belongs together; empty: nothing
  json place;                           ///< where the thread's first message stands; null: this is the first
  std::vector<std::string> recipients;  ///< of this part; empty: all of the channel's
  json metadata;                        ///< for programs: policy, alerts, labels; bounded
  std::int64_t at_us = 0;               ///< when it was decided to tell
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(delivery, channel, type, config, key, attempts_max, title, text, html,
                                                status, reason, severity, thread, place, recipients, metadata, at_us)

} // namespace tobit::notify
