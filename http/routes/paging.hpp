#pragma once

#include "http/codec/cursor.hpp"
#include "http/route/exchange.hpp"
#include "runtime/storage/statement.hpp"

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tobit::http {

/// The place in a list that is ordered by a moment (descending) and a key: what `cursor` and `offset` ask for.
struct list_place {
  std::int64_t before_us =
      std::numeric_limits<std::int64_t>::max(); ///< with `before_key`: rows strictly after this one
  std::string before_key{"\x7f"};
  std::int64_t limit = 0, offset = 0;
};

/// Reads `limit`, `cursor` and `offset`. Errors: validation_error.
result<list_place> read_place(const exchange& ex);

/// `limit` (default, most), `cursor` and `offset` as parameters of a route.
std::vector<parameter> paging_parameters(int usual, int most);

/// `metadata` of a page: limit, offset, returned and, if there may be more, `next_cursor`.
json page_metadata(const list_place& place, std::size_t returned, std::int64_t last_us, const std::string& last_key);

/// `%words%` in lower case for `LIKE … ESCAPE '\\'`; `%` for nothing. For columns in LOWER().
std::string like_pattern(std::string_view words);

} // namespace tobit::http
