#pragma once

#include "schemas/ids.hpp"

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>

namespace tobit::entity {

/// Whose effect is attempted next. Sources take turns and each has a bound on attempts under way, so that one rule
/// whose receiver hangs cannot hold up the others.
class effect_turns {
public:
  explicit effect_turns(std::size_t running_per_source_max) : running_max_(running_per_source_max) {}

  /// An effect waits for its first or next attempt.
  void wait(const entity_ref& source, std::string id);
  /// The next effect to attempt; from now on it counts as under way. Nothing: none waits, or all that wait belong to
  /// sources at their bound.
  std::optional<std::string> next();
  /// An attempt that `next` began has ended.
  void ended(const entity_ref& source);

private:
  struct line {
    std::deque<std::string> waiting;
    std::size_t running = 0;
    bool has_turn = false; ///< stands in `turns_`
  };
  void give_turn(const entity_ref& source, line& of);

  const std::size_t running_max_;
  std::unordered_map<entity_ref, line> lines_;
  std::deque<entity_ref> turns_;
};

} // namespace tobit::entity
