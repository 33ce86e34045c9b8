#pragma once

#include "runtime/entity/effect_handler.hpp"

#include <functional>
#include <string>
#include <vector>

namespace tobit::entity {

/// Lets somebody wait until the effects of a decision are carried out (a manual trigger, a test send).
class effect_watch {
public:
  virtual ~effect_watch() = default;
  /// Calls `done` once, when all outbox rows with this correlation are settled, with their outcomes in order; at once
  /// if they already are (or there are none). Errors: deadline_exceeded (they go on in the background). Any thread.
  virtual void when_settled(std::string correlation, steady_time deadline,
                            std::function<void(result<std::vector<effect_outcome>>)> done) = 0;
};

} // namespace tobit::entity
