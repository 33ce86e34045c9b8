#pragma once

#include "actors/notify/channel/rate_window.hpp"
#include "schemas/channel/channel_events.hpp"
#include "schemas/error.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace tobit::notify {

/// Notices that a channel recognises when they come again.
inline constexpr std::size_t known_notices_max = 1'000;
/// Notices on their way at the same time; beyond it the asker is told `overloaded` and tries again.
inline constexpr std::size_t open_notices_max = 500;
/// Bytes of these.
inline constexpr std::size_t open_bytes_max = 8u << 20;
/// Threads whose place is remembered; the ones that were not used for longest are forgotten.
inline constexpr std::size_t threads_max = 1'000;

/// A notice on its way.
struct open_notice {
  channel::send_notice notice;
  std::vector<std::string> recipients;     ///< one part each; empty: one part for all
  std::map<std::string, bool> ended_parts; ///< by recipient: whether it went well
  bool waits = false;                      ///< for the place of its thread
  std::string passed_to;                   ///< the fallback that is being told
  std::string error_name, error;           ///< of the last part that failed
  std::int64_t attempts = 0;               ///< the most of any part
  std::int64_t at_us = 0;
  std::size_t bytes = 0;
};

/// Where answers to earlier messages go.
struct message_thread {
  std::string root_notice; ///< the first notice: mails refer to it
  std::string opening;     ///< the notice whose message will be the thread's first; empty: none is on its way
  json place;              ///< where that message stands; null: not known
  std::int64_t used_us = 0;
};

/// What a channel remembers durably. Changed only by the events of `schemas/channel/channel_events.hpp`; bounded.
struct channel_memory {
  struct counts {
    std::int64_t sent = 0, failed = 0, rate_limited = 0, paused = 0, passed_on = 0;
  };

  bool knows(const std::string& notice_id) const { return known_ids.count(notice_id) != 0; }
  const open_notice* find_open(const std::string& notice_id) const;
  const message_thread* find_thread(const std::string& thread) const;
  /// Notices that wait for the place of this thread, in the order in which they came.
  std::vector<std::string> waiting_for(const std::string& thread) const;
  bool is_full() const noexcept { return open.size() >= open_notices_max || open_bytes >= open_bytes_max; }

  /// Other messages change nothing.
  void apply(const message& event);

  std::deque<std::string> known; ///< oldest first
  std::unordered_set<std::string> known_ids;
  std::map<std::string, open_notice> open;
  std::size_t open_bytes = 0;
  std::map<std::string, message_thread> threads;
  rate_window minute{std::chrono::minutes{1}}, hour{std::chrono::hours{1}};
  counts total;
  std::string last_error;
  std::int64_t last_error_at_us = 0, last_sent_at_us = 0;

private:
  void note(const std::string& notice_id);
  void accept(const channel::notice_accepted& event);
  void end(const channel::notice_ended& event);
};

/// JSON with a version; `type`: of the channel, which threads belong to.
std::string to_snapshot(const channel_memory& memory, std::string_view type);

/// Reads what any release wrote. Threads of another type of channel are left out. Errors: internal_server_error.
result<channel_memory> memory_of_snapshot(std::string_view snapshot, std::string_view type);

} // namespace tobit::notify
