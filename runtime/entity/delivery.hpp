#pragma once

#include "runtime/entity/entity_gateway.hpp"

#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>

namespace tobit::entity {

/// What is counted about one entity in memory. Written by its actor and its askers, read by anybody.
struct entity_figures {
  std::atomic<std::uint32_t> unanswered{0};   ///< messages accepted and not answered yet
  std::atomic<std::uint64_t> handled{0};      ///< answered
  std::atomic<std::uint64_t> failed{0};       ///< of those, with an error
  std::atomic<std::int64_t> time_total_us{0}; ///< from delivery to answer, summed up
  std::atomic<std::int64_t> time_longest_us{0};
  std::atomic<std::int64_t> last_message_us{0}; ///< steady clock
  /// Steady clock: what counts as a last message that is still to come.
  std::atomic<std::int64_t> awake_until_us{std::numeric_limits<std::int64_t>::min()};
  std::atomic<const char*> status{"activating"}; ///< activating, active, quarantined, …
};

/// One request on its way to a local entity. Whoever holds it owes an answer: one that is dropped answers `unavailable`
/// by itself, so that no asker waits for ever. Local only.
class delivery {
public:
  /// `context` is the span of handling this message.
  delivery(call_context context, message request, entity_gateway::reply_handler reply, steady_time arrived);
  ~delivery();
  delivery(const delivery&) = delete;
  delivery& operator=(const delivery&) = delete;

  const call_context& context() const noexcept { return context_; }
  const message& request() const noexcept { return request_; }
  steady_time arrived() const noexcept { return arrived_; }

  /// Counts this message with its receiver. Called once, before it is handed over.
  void accept(std::shared_ptr<entity_figures> receiver) noexcept;
  /// Answers; every call but the first does nothing.
  void answer(result<message> reply) noexcept;
  /// Gives the duty to answer to somebody else.
  entity_gateway::reply_handler take_reply() noexcept { return std::exchange(reply_, nullptr); }

private:
  call_context context_;
  message request_;
  entity_gateway::reply_handler reply_;
  steady_time arrived_;
  std::shared_ptr<entity_figures> receiver_;
};
using delivery_ptr = std::shared_ptr<delivery>;

} // namespace tobit::entity
