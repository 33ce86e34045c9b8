#pragma once

#include "runtime/storage/statement.hpp"

#include <tl/expected.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

namespace tobit::storage {

/// Whose fault a failure is: it decides what happens to the session and to the other units of a group.
enum class blame {
  statement,  ///< the statement's own; others may go on
  contention, ///< deadlock or serialisation failure; the same again may succeed
  database,   ///< nothing can be written at the moment (disk full, locked); the connection itself is fine
  connection  ///< the connection is lost or must be opened anew
};

struct session_failure {
  error what;
  blame whose = blame::statement;
  bool outcome_unknown = false; ///< only of `commit`: it may or may not have taken effect
};

template <class T>
using session_result = tl::expected<T, session_failure>;

/// What one statement did.
struct step_outcome {
  std::int64_t affected = 0; ///< rows changed, or found by a SELECT
  rows returned;
};

/// One connection to a database, used by one thread at a time. The two adapters differ only in this.
class session {
public:
  virtual ~session() = default;

  virtual session_result<void> begin() = 0;
  virtual session_result<void> commit() = 0;
  /// Ends a transaction if there is one; whatever goes wrong shows at the next `begin`.
  virtual void rollback() noexcept = 0;

  /// Runs one statement, inside the transaction or on its own. `expect_rows` is not looked at.
  virtual session_result<step_outcome> run(const statement& what) = 0;

  /// Runs a unit's statements one after the other, as far as they succeed; checks `expect_rows`.
  virtual session_result<write_outcome> run_unit(const unit_of_work& unit);

  /// Runs all units without isolating them from each other. The first failure ends it; the caller rolls back.
  virtual session_result<std::vector<write_outcome>> run_units(const std::vector<const unit_of_work*>& units);

  /// Runs a script of several statements without values.
  virtual session_result<void> script(std::string_view sql) = 0;

  /// From any thread: breaks a connection over a network, so that whoever waits for its answer gets an error soon.
  virtual void interrupt() noexcept {}
};

/// Checks `expect_rows` of one executed statement.
session_result<void> check_expectation(const statement& what, std::int64_t affected);

enum class session_role { writer, reader };
using session_factory = std::function<result<std::unique_ptr<session>>(session_role)>;

} // namespace tobit::storage
