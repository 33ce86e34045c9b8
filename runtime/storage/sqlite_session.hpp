#pragma once

#include "runtime/storage/database.hpp"
#include "runtime/storage/session.hpp"

#include <chrono>
#include <memory>
#include <string>

namespace tobit::storage {

/// Opens one connection to an SQLite file: WAL, `synchronous=FULL`, so that a commit survives power loss.
/// A reader refuses to write. Errors: configuration_error with a sentence that tells what to do.
result<std::unique_ptr<session>> open_sqlite_session(const std::string& path, const database_options& options,
                                                     session_role role);

} // namespace tobit::storage
