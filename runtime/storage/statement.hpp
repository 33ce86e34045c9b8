#pragma once

#include "schemas/error.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tobit::storage {

/// Raw bytes, as opposed to text.
struct bytes {
  std::string data;
  bool operator==(const bytes&) const = default;
};

/// One SQL value. Times are stored as INTEGER microseconds UTC, booleans as 0/1, JSON as TEXT.
using value = std::variant<std::monostate, std::int64_t, double, std::string, bytes>;

/// One portable SQL statement. Placeholders are `$1`, `$2`, … in both databases. The token `{for_share}` at the end of
/// a SELECT becomes `FOR SHARE` in PostgreSQL and nothing in SQLite (which has one writer).
struct statement {
  std::string_view sql; ///< must live as long as the program: a literal. It is the key of the prepared-statement cache.
  std::vector<value> params{};
  /// If set, the statement must change (a SELECT: find) exactly this many rows, or the whole unit is rolled back with
  /// `mismatch`.
  std::optional<std::int64_t> expect_rows{};
  error_code mismatch = error_code::conflict;
};

/// The rows of an answer, row by row. Columns in the order of the SELECT (or RETURNING) list.
struct rows {
  std::vector<std::vector<value>> values;
  bool empty() const noexcept { return values.empty(); }
  std::size_t size() const noexcept { return values.size(); }
  const std::vector<value>& operator[](std::size_t i) const { return values[i]; }
};

/// Reads of one value; the default for NULL or another type.
std::int64_t as_int(const value& v, std::int64_t otherwise = 0) noexcept;
double as_double(const value& v, double otherwise = 0) noexcept;
const std::string& as_text(const value& v) noexcept; ///< text or bytes; empty for others
inline bool is_null(const value& v) noexcept { return std::holds_alternative<std::monostate>(v); }

/// Statements that take effect together or not at all.
struct unit_of_work {
  std::vector<statement> statements;
  /// Units with the same lane are executed in the order in which they were handed in. Others may overtake.
  std::uint64_t lane = 0;
};

/// What a committed unit did, statement by statement.
struct write_outcome {
  std::vector<std::int64_t> affected;
  std::vector<rows> returned; ///< of statements with RETURNING; empty for others
};

} // namespace tobit::storage
