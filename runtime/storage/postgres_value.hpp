#pragma once

#include "runtime/storage/statement.hpp"

#include <pqxx/pqxx>

#include <string>
#include <vector>

namespace tobit::storage {

/// A statement's values in PostgreSQL's text format. The pointers live as long as this and the values.
class postgres_params {
public:
  explicit postgres_params(const std::vector<value>& values);
  const std::vector<const char*>& pointers() const noexcept { return pointers_; }

private:
  std::vector<std::string> written_;
  std::vector<const char*> pointers_;
};

/// All rows of an answer, by the types that the server reports.
rows to_rows(const pqxx::result& answer);

} // namespace tobit::storage
