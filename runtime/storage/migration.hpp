#pragma once

#include "runtime/storage/dialect.hpp"
#include "runtime/storage/session.hpp"

#include <string>

namespace tobit::storage {

/// Stands among the steps of a database into which `promote` is copying: no node may use it yet.
inline constexpr std::string_view promotion_mark = "promotion";

/// Brings the database's layout up to `sql::migrations()`, all steps in one transaction. `guard` is run first inside it
/// and keeps other nodes out until it ends; it may be empty. Errors: configuration_error if the database knows steps
/// that this program does not (a newer program made it), or if it holds half of a promotion.
result<void> migrate(session& connection, dialect target, const statement* guard = nullptr);

} // namespace tobit::storage
