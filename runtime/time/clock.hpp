#pragma once

#include "schemas/time.hpp"

#include <memory>

namespace tobit {

/// The one source of time. Everything that needs "now" gets a clock handed in; tests hand in one that they move.
/// Thread-safe.
class clock {
public:
  virtual ~clock() = default;
  /// Calendar time. May step backwards when somebody sets the machine's clock: never measure durations with it.
  virtual utc_time now() const = 0;
  /// Monotonic time, for deadlines and durations.
  virtual steady_time steady_now() const = 0;
};

/// The machine's clocks.
class system_clock final : public clock {
public:
  utc_time now() const override;
  steady_time steady_now() const override;
};

/// A clock that stands still until it is moved. Thread-safe.
class manual_clock final : public clock {
public:
  explicit manual_clock(utc_time start = from_micros(1'800'000'000'000'000));
  ~manual_clock() override;
  utc_time now() const override;
  steady_time steady_now() const override;
  /// Moves both clocks on.
  void advance(std::chrono::microseconds by);
  /// Sets only the calendar, as an operator or NTP would; the monotonic clock goes on.
  void set_utc(utc_time t);

private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace tobit
