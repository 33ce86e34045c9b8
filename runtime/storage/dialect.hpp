#pragma once

#include <string>
#include <string_view>

namespace tobit::storage {

enum class dialect { sqlite, postgresql };

/// Replaces the tokens of our portable SQL: {int} and {bytes} are column types, {for_share} locks the rows of a SELECT
/// against change until the end of the transaction. Other braces stay as they are.
std::string to_dialect(std::string_view sql, dialect target);

} // namespace tobit::storage
