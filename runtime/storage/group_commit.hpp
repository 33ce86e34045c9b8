#pragma once

#include "runtime/storage/session.hpp"

#include <optional>
#include <shared_mutex>
#include <vector>

namespace tobit::storage {

/// How a group ended, unit by unit.
struct group_outcome {
  std::vector<result<write_outcome>> answers;
  std::size_t committed = 0; ///< units
  std::size_t transactions = 0;
  std::optional<session_failure> trouble; ///< the database's or the connection's fault; the answers hold it too
};

/// Carries out a group of units in as few transactions as possible; the order of the units is kept.
///
/// At first all share one transaction without anything between them, which is the cheapest way and nearly always
/// succeeds. If a unit fails, the whole is rolled back and repeated with a savepoint around each unit, so that only the
/// bad ones fail. After a deadlock or a serialisation failure it is repeated while `gate` keeps the other lanes of this
/// process out, in the end unit by unit.
group_outcome commit_group(session& connection, const std::vector<const unit_of_work*>& units, std::shared_mutex& gate);

} // namespace tobit::storage
