#pragma once

#include "runtime/storage/database.hpp"
#include "runtime/storage/session.hpp"

#include <memory>
#include <string>

namespace tobit::storage {

/// Connects to PostgreSQL. A reader's transactions are read-only. Errors: connection_error with a sentence that tells
/// what to do and never holds the password.
result<std::unique_ptr<session>> open_postgres_session(const std::string& url, const database_options& options,
                                                       session_role role);

} // namespace tobit::storage
