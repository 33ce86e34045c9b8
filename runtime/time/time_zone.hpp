#pragma once

#include "schemas/error.hpp"
#include "schemas/time.hpp"

#include <chrono>
#include <string_view>

namespace date {
class time_zone;
}

namespace tobit {

/// A stretch of real time in which a zone's clocks run at one offset.
struct offset_span {
  std::chrono::sys_seconds begin, end; ///< half open
  std::chrono::seconds offset{0};      ///< local time minus UTC
};

/// An IANA time zone of the machine's tz database. A copyable handle, valid for the life of the program; thread-safe.
///
/// The database's compiled files hold transitions up to 2037; after that the zone's last known offset stays.
class time_zone {
public:
  std::string_view name() const noexcept;
  /// The offset in force at a moment, and how long it is in force.
  offset_span at(std::chrono::sys_seconds moment) const;
  /// The real moment of a local clock reading: the first one if it comes twice, the first moment after the gap if it
  /// never comes.
  std::chrono::sys_seconds first_moment_of(std::chrono::local_seconds reading) const;

  bool operator==(const time_zone&) const = default;

private:
  explicit time_zone(const date::time_zone* zone) noexcept : zone_(zone) {}
  friend result<time_zone> find_time_zone(std::string_view name);
  const date::time_zone* zone_;
};

/// Looks a zone up by its IANA name, e.g. "Asia/Seoul" or "UTC".
/// Errors: validation_error with a suggestion; configuration_error if the machine has no tz database.
result<time_zone> find_time_zone(std::string_view name);

} // namespace tobit
