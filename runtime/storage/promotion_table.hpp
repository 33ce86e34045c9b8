#pragma once

#include "runtime/storage/session.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

namespace tobit::storage {

/// Order-independent digest of rows: the sum of XXH3 (128 bits) of each.
struct rows_digest {
  std::uint64_t low = 0, high = 0;
  std::size_t rows = 0;
  bool operator==(const rows_digest&) const = default;

  /// The first `skip` values do not belong to the row.
  void add(const std::vector<value>& row, std::size_t skip = 0);
};

/// One table of a promotion, and the statements to read it from SQLite and write it into PostgreSQL.
class promotion_table {
public:
  enum class kind { number, text, bytes };
  struct column {
    std::string name;
    kind type = kind::text;
  };

  /// `columns` as PostgreSQL has them.
  promotion_table(std::string name, std::vector<column> columns);

  const std::string& name() const noexcept { return name_; }

  /// Rows after `last`, as many as fit into a batch; the first value of each is its rowid. None: that was all.
  session_result<rows> read_batch(session& source, std::int64_t last);
  /// The largest row that `read_batch` has seen, in bytes.
  std::size_t largest() const noexcept { return largest_; }
  /// Inside a transaction of the caller.
  session_result<void> write(session& target, const rows& batch);
  /// All rows of the target, inside a transaction of the caller; `seen` is told how many came.
  session_result<rows_digest> digest_target(session& target, const std::function<void(std::size_t)>& seen);

private:
  std::string_view keep(std::string text) { return texts_.emplace_back(std::move(text)); }
  std::string insert_text(std::size_t count) const;
  void fit(std::vector<value>& row) const;

  std::string name_;
  std::vector<column> columns_;
  std::deque<std::string> texts_; ///< of statements: sessions keep references to them
  std::string list_;
  std::string_view lengths_, select_, insert_one_, insert_many_;
  std::size_t many_ = 1, largest_ = 0;
};

} // namespace tobit::storage
