#pragma once

#include "actors/schedule/ledger_state.hpp"
#include "runtime/storage/database.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

/// The ledger's rows: what is written and read, as statements. The tables `schedule` and `tick` belong to this room.
namespace tobit::schedule {

/// What is written about claims before anything is done about them. Some statements stand for many rows.
void append_claims(std::vector<storage::statement>& into, const std::vector<claim>& claims);
/// What is written about ticks that are over.
void append_settlements(std::vector<storage::statement>& into, const std::vector<settlement>& settlements);

storage::statement store_schedule(const schedule_row& row, const std::string& spec);
storage::statement mark_removed(const entity_ref& ref, utc_time now);
/// Marks schedules as removed whose entity does not want to be woken any more.
storage::statement mark_orphans(utc_time now);
/// Deletes what was removed before `before`, at most so many schedules at once; first their ticks.
std::vector<storage::statement> purge_removed(utc_time before, std::int64_t count);

/// Who wants to be woken, with what is known about it; ordered, from after `after`.
storage::statement select_wanted(const entity_ref& after, std::int64_t count);
/// Ticks that were open when the last ledger ended, oldest first.
storage::statement select_open_ticks(std::int64_t count);

/// A row of `select_wanted`.
struct wanted_schedule {
  schedule_row row;
  std::int64_t version = 0;
  std::string spec;                       ///< what the entity wants, JSON
  std::optional<std::string> stored_spec; ///< what the row was made from; nothing: there is no row yet
};
wanted_schedule read_wanted(const std::vector<storage::value>& row);

/// A row of `select_open_ticks`.
struct stored_open_tick {
  entity_ref ref;
  std::uint32_t place = 0;
  utc_time due;
  std::int64_t missed = 0;
};
stored_open_tick read_open_tick(const std::vector<storage::value>& row);

} // namespace tobit::schedule
