#pragma once

#include "schemas/time.hpp"

#include <optional>

namespace tobit::entity {

/// What becomes of the wake time in the entity's row.
struct wake_step {
  bool write = false;
  std::optional<utc_time> at; ///< if `write`: the new value; nothing: not woken by time any more
};

/// The row follows what the logic wants only where it must: when the wanted time is new or earlier, or when the stored
/// one has come. A wanted time that moves later is left alone until then (the wake finds nothing to do), so that an
/// entity that puts off its time with each message does not write with each message.
constexpr wake_step next_wake(std::optional<utc_time> stored, std::optional<utc_time> wanted, utc_time now) noexcept {
  if (!stored) return {wanted.has_value(), wanted};
  const bool has_come = *stored <= now;
  if (!wanted) return {has_come, std::nullopt};
  if (has_come) return {*wanted > now, wanted}; // what should have happened by now is done by the wake under way
  return {*wanted < *stored, wanted};
}

} // namespace tobit::entity
