#pragma once

#include "runtime/storage/database.hpp"
#include "runtime/storage/session.hpp"

#include <memory>
#include <string>
#include <vector>

namespace tobit::storage {

/// A session of PostgreSQL that also hears NOTIFY, and at once that its connection is lost: wait with poll until
/// `descriptor` is readable, then ask `heard`. Ask also after every statement, whose answer may have brought
/// notifications along.
class postgres_listener : public session {
public:
  virtual int descriptor() const noexcept = 0;
  /// The payloads that have arrived, in their order; never waits. Not inside a transaction. Errors: the connection is
  /// lost.
  virtual session_result<std::vector<std::string>> heard() = 0;
};

/// Connects and listens on the channel. Errors: those of `open_postgres_session`.
result<std::unique_ptr<postgres_listener>>
open_postgres_listener(const std::string& url, const database_options& options, const std::string& channel);

} // namespace tobit::storage
