#pragma once

#include "schemas/channel/channel_protocol.hpp"

/// What a channel writes into its journal. Replayed in order they give the channel's state again; nobody else sends
/// them.
namespace tobit::channel {

/// A notice will be told: now, or as soon as the first message of its thread has its place.
struct notice_accepted {
  static constexpr std::string_view wire_name = "tobit.channel.notice_accepted.v1";
  send_notice notice;
  std::vector<std::string> recipients; ///< who is told, for types that tell each by itself (SMS)
  bool waits = false;
  std::int64_t at_us = 0;
};

/// A notice will not be told.
struct notice_dropped {
  static constexpr std::string_view wire_name = "tobit.channel.notice_dropped.v1";
  std::string notice_id;
  std::string why; ///< rate_limited | paused
  std::int64_t at_us = 0;
};

/// One of several parts of a notice ended; the last one's end is `notice_ended` or `notice_passed_on`.
struct part_settled {
  static constexpr std::string_view wire_name = "tobit.channel.part_settled.v1";
  std::string notice_id;
  std::string recipient;
  bool done = false;
  std::string error_name, error;
  std::int64_t attempts = 0;
};

/// The channel gave up; the fallback is being told.
struct notice_passed_on {
  static constexpr std::string_view wire_name = "tobit.channel.notice_passed_on.v1";
  std::string notice_id, to;
  std::string error_name, error;
  std::int64_t attempts = 0;
};

/// The notice is done with. `released`: notices of its thread that go out now.
struct notice_ended {
  static constexpr std::string_view wire_name = "tobit.channel.notice_ended.v1";
  std::string notice_id;
  std::string outcome; ///< sent | failed | passed_on
  std::string error;
  json place; ///< where the message stands, for answers in its thread (Slack: channel and ts); null: nowhere
  std::vector<std::string> released;
  std::int64_t at_us = 0;
};

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(notice_accepted, notice, recipients, waits, at_us)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(notice_dropped, notice_id, why, at_us)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(part_settled, notice_id, recipient, done, error_name, error, attempts)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(notice_passed_on, notice_id, to, error_name, error, attempts)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(notice_ended, notice_id, outcome, error, place, released, at_us)

} // namespace tobit::channel
