#pragma once

#include "runtime/storage/statement.hpp"
#include "schemas/json.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tobit::rehearsal {

/// A row that a decision would write, by the names of its columns. Refers to the statement.
///
/// What a decision leaves behind for people (executions, alerts, notification logs) stands in its statements; reading
/// them here shows in rehearsal what the tables would show live, without a second way of counting.
class written_row {
public:
  /// Reads `INSERT INTO table (a, b) VALUES ($1, $2)`. Nothing for any other statement.
  static std::optional<written_row> of(const storage::statement& what);

  std::string_view table() const noexcept { return table_; }
  /// The value of a column; a null value if the statement does not name it or writes no parameter there.
  const storage::value& operator[](std::string_view name) const noexcept;
  std::string text(std::string_view name) const { return storage::as_text((*this)[name]); }
  std::vector<std::string_view> columns() const;
  std::int64_t whole(std::string_view name) const noexcept { return storage::as_int((*this)[name]); }

private:
  struct column {
    std::string_view name;
    const storage::value* value = nullptr; ///< null: a literal
  };
  std::string_view table_;
  std::vector<column> columns_;
};

} // namespace tobit::rehearsal
