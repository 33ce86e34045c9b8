#pragma once

#include "actors/alert/label_matcher.hpp"
#include "schemas/json.hpp"
#include "schemas/time.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace tobit::alert {

inline constexpr std::size_t silences_max = 1'000; ///< that have not ended
inline constexpr std::int64_t silence_seconds_max = 366 * 86'400;

struct silence {
  std::string id;
  json matchers;
  matcher_list compiled;
  std::int64_t starts_us = 0, ends_us = 0;
  std::string comment, created_by;
  std::int64_t created_us = 0;
};

/// The silences of a tenant that have not ended: alerts that one of them fits are told to nobody meanwhile.
class silence_book {
public:
  /// Checks a silence as users write it: {matchers, starts_at (now), ends_at or duration_seconds, comment}. `before`:
  /// the silence that is changed, or null. Errors: validation_error with the pointer, overloaded if there are too many.
  result<silence> read(const json& body, const silence* before, utc_time now) const;

  void put(silence s) { all_.insert_or_assign(s.id, std::move(s)); }
  const silence* find(const std::string& id) const;
  void remove(const std::string& id) { all_.erase(id); }

  /// The silence that fits now, or null: the first by id.
  const silence* fitting(const json& labels, utc_time now) const;
  /// Forgets those that have ended; true if there were any.
  bool sweep(utc_time now);
  /// When one begins or ends, after `now`.
  std::optional<utc_time> next_edge(utc_time now) const;

  std::size_t size() const noexcept { return all_.size(); }
  json snapshot() const;
  void restore(const json& snapshot);

private:
  std::map<std::string, silence> all_;
};

/// As answers show it; `status` is pending, active or expired.
json shown(const silence& s, utc_time now);

} // namespace tobit::alert
