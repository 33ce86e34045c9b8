#pragma once

#include "runtime/time/time_zone.hpp"
#include "schemas/error.hpp"
#include "schemas/time.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tobit {

/// A parsed cron expression: one bit per admitted value. Small and trivially copyable, for many of them are kept.
struct cron_expression {
  std::uint64_t seconds = 1, minutes = 0;     ///< bits 0–59
  std::uint32_t hours = 0;                    ///< bits 0–23
  std::uint32_t days = 0;                     ///< bits 1–31
  std::uint32_t days_from_last = 0;           ///< `L-n`: bit n; `L` is bit 0
  std::uint32_t nearest_working_days = 0;     ///< `nW`: bits 1–31
  std::uint16_t months = 0;                   ///< bits 1–12
  std::uint8_t weekdays = 0;                  ///< bits 0–6, 0 is Sunday
  std::uint8_t last_weekdays = 0;             ///< `nL`: bits 0–6
  std::array<std::uint8_t, 5> nth_weekdays{}; ///< `n#k`: bits 0–6 of element k-1
  bool last_working_day = false;              ///< `LW`
  bool any_day = false, any_weekday = false;  ///< the field begins with `*` or `?`
  bool follows_elapsed_time = false;          ///< minute or hour is a wildcard, see `next_after`

  bool operator==(const cron_expression&) const = default;
};

/// Longest accepted expression, in bytes.
inline constexpr std::size_t cron_length_max = 256;

/// Parses `minute hour day-of-month month day-of-week`, or six fields with seconds first, or one of @yearly @annually
/// @monthly @weekly @daily @midnight @hourly.
///
/// A field is a list of `*`, `a`, `a-b`, `*/n`, `a-b/n`, `a/n` (from a to the end). Months and weekdays may be names
/// (JAN, MON; any case); Sunday is 0 and 7. `?` stands for `*` in the two day fields. Day-of-month knows `L` (last
/// day), `L-n`, `nW` (working day nearest to n, in the same month) and `LW`; day-of-week `nL` (last such day of the
/// month) and `n#k` (the k-th). If neither day field begins with `*` or `?`, a day is admitted by either of them, else
/// by both (as in Vixie cron, crontab(5)).
///
/// Errors: validation_error that names the field, the value and the range; also for what can never come (31 February).
result<cron_expression> parse_cron(std::string_view text);

/// The first moment after `after` (strictly) at which the expression fires in the zone.
///
/// Where clocks change: an expression whose minute and hour are fixed fires once for every admitted clock reading — at
/// the first moment after the gap for a reading that is skipped, at the first of two for one that is repeated. One with
/// a wildcard in minute or hour follows elapsed time: it fires whenever the local clock shows an admitted reading. See
/// docs/decisions/0004-cron-and-dst.md. Nothing beyond the year 9000.
std::optional<utc_time> next_after(const cron_expression& cron, const time_zone& zone, utc_time after);

/// The days of a month that the expression admits, bits 1–31.
std::uint32_t days_admitted(const cron_expression& cron, std::chrono::year_month month);

} // namespace tobit
