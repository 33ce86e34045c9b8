#pragma once

#include "runtime/time/cron.hpp"
#include "schemas/entity/interest_spec.hpp"
#include "schemas/json.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tobit {

/// What happens to ticks that were due while nobody could run them.
enum class missed_policy : std::uint8_t { skip, once, all };
/// What happens to a tick that is due while the one before is not settled.
enum class overlap_policy : std::uint8_t { skip, queue, allow };

/// Limits of a schedule; see `entity::schedule_interest`.
inline constexpr std::int64_t interval_seconds_max = 31'536'000;
inline constexpr std::int64_t missed_ticks_max = 1'000;
inline constexpr std::int64_t jitter_seconds_max = 3'600;

/// A schedule that was understood. Small, for many of them are kept.
struct schedule_spec {
  cron_expression cron;          ///< used if `interval` is zero
  std::optional<time_zone> zone; ///< set for cron
  std::chrono::seconds interval{0};
  std::uint16_t missed_max = 100;
  std::uint16_t jitter_seconds = 0;
  missed_policy missed = missed_policy::once;
  overlap_policy overlap = overlap_policy::skip;

  bool operator==(const schedule_spec&) const = default;
};

/// Checks the schedule part of what a user wrote and fills in the defaults: `cron` and `timezone`, or
/// `interval_seconds`; `missed`, `missed_max`, `overlap`, `jitter_seconds`. Other fields of `spec` are not looked at.
/// `pointer` is the JSON pointer of `spec` in the request. Errors: validation_error with the pointer of the field.
result<entity::schedule_interest> parse_schedule(const json& spec, std::string_view pointer = "");

/// Compiles a checked schedule. Errors: validation_error with a pointer relative to the schedule.
result<schedule_spec> compile_schedule(const entity::schedule_interest& interest);

/// The first due time after `after` (strictly). An interval's due times are `anchor + n * interval` for n ≥ 1, so that
/// they do not depend on when somebody asks. Nothing if there is none.
std::optional<utc_time> next_due(const schedule_spec& spec, utc_time anchor, utc_time after);

} // namespace tobit
