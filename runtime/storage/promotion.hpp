#pragma once

#include "schemas/error.hpp"

#include <cstddef>
#include <functional>
#include <string>

namespace tobit::storage {

struct promotion_progress {
  enum class phase { copying, checking } now = phase::copying;
  std::size_t done = 0, total = 0; ///< rows
};
struct promotion_report {
  std::size_t tables = 0, rows = 0;
  std::size_t rows_before = 0; ///< copied by an earlier run
};

/// Copies an SQLite store into an empty PostgreSQL store and compares both, row for row.
///
/// The source is opened read-only, under the lock that a node would hold. Rows go over in batches (4 MB or one row),
/// each in one transaction together with its progress; a run that broke off goes on where it stopped. Until everything
/// is compared the target is marked, so that no node starts on it.
///
/// Errors: configuration_error with what to do (a node holds the source; it was made by another release; the target is
/// not empty; a copy from another store was begun there), those of the databases, conflict (the copy is not like
/// the source).
result<promotion_report> promote(const std::string& sqlite_path, const std::string& postgres_url,
                                 const std::function<void(const promotion_progress&)>& tell);

} // namespace tobit::storage
