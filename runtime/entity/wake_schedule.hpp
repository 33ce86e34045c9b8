#pragma once

#include "schemas/ids.hpp"
#include "schemas/time.hpp"

#include <cstddef>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

namespace tobit::entity {

/// The nearest wake times of a node, as many as fit. What lies beyond the horizon stays in the rows; so memory and
/// start-up do not grow with the number of sleeping entities. Pure.
class wake_schedule {
public:
  /// `capacity`: entities held; at least 1.
  explicit wake_schedule(std::size_t capacity) : capacity_(capacity) {}

  /// The entity's row says this time now. Beyond the horizon it is not held.
  void note(const entity_ref& ref, utc_time at);
  /// The same, held whatever the horizon: while rows are being read, which may miss it, and for another attempt.
  void keep(const entity_ref& ref, utc_time at) { hold(ref, at); }
  /// Found in a row. An earlier time that is held stays.
  void found(const entity_ref& ref, utc_time at);
  /// Reading ended: everything up to `until` was found; nothing: everything there is.
  void read_until(std::optional<utc_time> until);

  /// Takes out the entity whose time is the earliest, if it has come.
  std::optional<entity_ref> take_due(utc_time now);
  std::optional<utc_time> next() const;
  std::size_t size() const noexcept { return at_.size(); }
  /// Rows exist that are not held, and there is room for them.
  bool wants_reading() const noexcept { return horizon_ && size() <= capacity_ / 2; }
  /// Wake times later than this are only in the rows; nothing: all are held.
  std::optional<utc_time> horizon() const noexcept { return horizon_; }

private:
  void hold(const entity_ref& ref, utc_time at);
  void drop(const entity_ref& ref);
  void fit();

  const std::size_t capacity_;
  std::unordered_map<entity_ref, utc_time> at_;
  std::set<std::pair<utc_time, entity_ref>> order_;
  std::optional<utc_time> horizon_ = utc_time::min(); ///< until the first reading nothing is known
};

} // namespace tobit::entity
