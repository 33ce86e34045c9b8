#pragma once

#include "actors/event/event_batch.hpp"
#include "schemas/call_context.hpp"
#include "schemas/rule/rule_protocol.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

namespace tobit::event {

/// An event on its way to one subscriber. The event itself is shared by all of them.
struct queued_event {
  logged_event event;
  std::size_t size = 0; ///< of its text, for the bounds
  std::shared_ptr<const call_context> cause;
};

/// What one subscriber still has to see, in the order of offsets: first what is being evaluated, then a short queue,
/// then everything in the log from `behind_from` on.
struct subscriber_feed {
  entity_ref ref;
  std::uint64_t serial = 0; ///< tells answers to this feed from those to an earlier one in the same slot
  bool used = false;
  std::uint64_t from_offset = 0;    ///< older events are not for it …
  utc_time since = utc_time::min(); ///< … nor are events received before

  std::deque<queued_event> queue;
  std::size_t asked = 0; ///< events at the head of the queue that are being evaluated; 0: nothing under way
  std::optional<std::uint64_t> behind_from;
  bool pausing = false, runnable = false;
  int failures = 0; ///< in a row

  /// Everything below is evaluated; nothing: there is nothing left to evaluate.
  std::optional<std::uint64_t> oldest() const {
    if (!queue.empty()) return queue.front().event.offset;
    return behind_from;
  }
};

} // namespace tobit::event
