#pragma once

#include "runtime/storage/statement.hpp"

#include <sqlite3.h>

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tobit::storage {

struct sqlite_finalize {
  void operator()(sqlite3_stmt* s) const noexcept { sqlite3_finalize(s); }
};

/// A prepared statement of one connection. Not thread-safe.
class sqlite_statement {
public:
  /// SQLite numbers `$n` by first appearance, so the n of each parameter is looked up once, here.
  explicit sqlite_statement(sqlite3_stmt* raw);

  /// Binds the values; text and bytes are not copied and must live until `reset`. Gives SQLite's result code;
  /// SQLITE_RANGE if the number of values is not the number of parameters.
  int bind(const std::vector<value>& params);
  int step() noexcept { return sqlite3_step(raw_.get()); }
  std::vector<value> row() const;
  void reset() noexcept;
  bool read_only() const noexcept { return sqlite3_stmt_readonly(raw_.get()) != 0; }

private:
  std::unique_ptr<sqlite3_stmt, sqlite_finalize> raw_;
  std::vector<std::size_t> number_of_; ///< by SQLite's index - 1: the position in `params`
  std::size_t params_ = 0;
};

/// Prepared statements of one connection by their text.
class sqlite_statement_cache {
public:
  /// The prepared statement, or null with SQLite's error set on `connection`.
  sqlite_statement* get(sqlite3* connection, std::string_view sql);

private:
  std::unordered_map<std::string_view, std::unique_ptr<sqlite_statement>> prepared_;
};

} // namespace tobit::storage
