#include "runtime/time/clock.hpp"

#include <mutex>

namespace tobit {

utc_time system_clock::now() const {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

steady_time system_clock::steady_now() const {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::steady_clock::now());
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
