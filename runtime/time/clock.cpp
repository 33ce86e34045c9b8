#include "runtime/time/clock.hpp"

#include <mutex>

namespace tobit {

utc_time system_clock::now() const {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

steady_time system_clock::steady_now() const {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::steady_clock::now());
}

utc_time anchored_clock::now() const {
  if (!anchored_.load(std::memory_order_acquire)) return system_clock{}.now();
  return from_micros(steady_now().time_since_epoch().count() + ahead_us_.load(std::memory_order_relaxed));
}

steady_time anchored_clock::steady_now() const { return system_clock{}.steady_now(); }

void anchored_clock::anchor(utc_time at, std::chrono::microseconds tolerated) {
  const auto ahead = to_micros(at) - steady_now().time_since_epoch().count();
  const auto off = ahead - ahead_us_.load(std::memory_order_relaxed);
  if (anchored_.load(std::memory_order_relaxed) && off < tolerated.count() && off > -tolerated.count()) return;
  ahead_us_.store(ahead, std::memory_order_relaxed);
  anchored_.store(true, std::memory_order_release);
}

struct manual_clock::state {
  mutable std::mutex guard;
  utc_time utc;
  steady_time steady{std::chrono::hours{1}};
};

manual_clock::manual_clock(utc_time start) : state_(std::make_unique<state>()) { state_->utc = start; }

manual_clock::~manual_clock() = default;

utc_time manual_clock::now() const {
  std::lock_guard lock{state_->guard};
  return state_->utc;
}

steady_time manual_clock::steady_now() const {
  std::lock_guard lock{state_->guard};
  return state_->steady;
}

void manual_clock::advance(std::chrono::microseconds by) {
  std::lock_guard lock{state_->guard};
  state_->utc += by;
  state_->steady += by;
}

void manual_clock::set_utc(utc_time t) {
  std::lock_guard lock{state_->guard};
  state_->utc = t;
}

} // namespace tobit
