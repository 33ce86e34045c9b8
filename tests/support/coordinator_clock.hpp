#pragma once

#include "runtime/time/clock.hpp"

#include <caf/scheduler/test_coordinator.hpp>

namespace tobit::testing {

/// Follows the fake time of a deterministic actor system: `advance_time` moves timers and this clock together.
class coordinator_clock final : public clock {
public:
  explicit coordinator_clock(caf::scheduler::test_coordinator& coordinator)
      : coordinator_(coordinator), start_(coordinator.clock().now()) {}

  utc_time now() const override { return from_micros(1'800'000'000'000'000) + passed(); }
  steady_time steady_now() const override { return steady_time{std::chrono::hours{1}} + passed(); }

private:
  std::chrono::microseconds passed() const {
    return std::chrono::duration_cast<std::chrono::microseconds>(coordinator_.clock().now() - start_);
  }

  caf::scheduler::test_coordinator& coordinator_;
  caf::actor_clock::time_point start_;
};

} // namespace tobit::testing
