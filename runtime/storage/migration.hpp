#pragma once

#include "runtime/storage/dialect.hpp"
#include "runtime/storage/session.hpp"

#include <string>

namespace tobit::storage {

/// Brings the database's layout up to `sql::migrations()`, all steps in one transaction. `guard` is run first inside it
/// and keeps other nodes out until it ends; it may be empty. Errors: configuration_error if the database knows steps
/// that this program does not (a newer program made it).
result<void> migrate(session& connection, dialect target, const statement* guard = nullptr);

} // namespace tobit::storage
