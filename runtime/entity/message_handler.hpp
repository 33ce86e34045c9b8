#pragma once

#include "runtime/entity/effect_handler.hpp"
#include "runtime/entity/entity_gateway.hpp"
#include "runtime/time/clock.hpp"

#include <memory>

namespace tobit::entity {

/// Largest answer of a receiver that is kept for the report, in bytes of JSON.
inline constexpr std::size_t answer_kept_max = 4 * 1024;

/// Carries out the effects of type "message" (`message_effect`): asks another entity of the same tenant, with a
/// deadline, below the decision's span. At least once. Built into every entity runtime. Thread-safe.
///
/// What may succeed later is tried again for about half an hour; everything else is the receiver's last word.
class message_handler final : public effect_handler {
public:
  /// `time` outlives it.
  message_handler(std::shared_ptr<entity_gateway> entities, const clock& time)
      : entities_(std::move(entities)), time_(time) {}

  std::string_view type() const noexcept override;
  void attempt(const outgoing_effect& effect, std::function<void(effect_outcome)> done) override;
  int attempts_max() const noexcept override { return 14; }

private:
  std::shared_ptr<entity_gateway> entities_;
  const clock& time_;
};

/// What the receiver's answer means for the effect.
effect_outcome outcome_of(const result<message>& reply);

} // namespace tobit::entity
