#pragma once

#include <chrono>
#include <functional>

namespace tobit::entity {

/// How work finds its way back into the one actor that owns an `Owner`: from storage threads, effect handlers, timers.
/// Keeps the owners' logic free of the actor library. What is posted after the actor's end is dropped.
template <class Owner>
class inbox {
public:
  using task = std::function<void(Owner&)>;
  using sender = std::function<void(task)>;

  virtual ~inbox() = default;
  /// A handle for other threads; it keeps the actor alive. Thread-safe.
  virtual sender remote() const = 0;
  /// Runs `work` inside the actor after a pause. There is no cancelling: the work checks whether it is still wanted.
  virtual void after(std::chrono::microseconds pause, task work) = 0;
};

} // namespace tobit::entity
