#pragma once

#include "schemas/time.hpp"

#include <atomic>
#include <cstdint>
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

/// The calendar of somebody else, such as the database of a cluster, carried on by this machine's monotonic clock: a
/// wrong or changed clock of the machine does no harm. Until the first `anchor` it shows the machine's. Thread-safe.
class anchored_clock final : public clock {
public:
  utc_time now() const override;
  steady_time steady_now() const override;
  /// It is this time now. Differences below `tolerated` are left alone, so that small delays do not make time jump.
  void anchor(utc_time at, std::chrono::microseconds tolerated = std::chrono::milliseconds{50});

private:
  std::atomic<std::int64_t> ahead_us_{0}; ///< of the monotonic clock
  std::atomic<bool> anchored_{false};
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
