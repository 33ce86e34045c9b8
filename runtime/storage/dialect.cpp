#include "runtime/storage/dialect.hpp"

#include <array>
#include <utility>

namespace tobit::storage {

namespace {

struct token {
  std::string_view name, sqlite, postgresql;
};

constexpr std::array tokens{
    token{"{int}", "INTEGER", "BIGINT"},
    token{"{bytes}", "BLOB", "BYTEA"},
    token{"{for_share}", "", "FOR SHARE"},
};

} // namespace

std::string to_dialect(std::string_view sql, dialect target) {
  std::string out;
  out.reserve(sql.size() + 16);
  while (!sql.empty()) {
    const auto brace = sql.find('{');
    out.append(sql.substr(0, brace));
    if (brace == std::string_view::npos) break;
    sql.remove_prefix(brace);
    std::string_view written = sql.substr(0, 1);
    std::size_t taken = 1;
    for (const auto& t : tokens) {
      if (!sql.starts_with(t.name)) continue;
      written = target == dialect::sqlite ? t.sqlite : t.postgresql;
      taken = t.name.size();
    }
    out.append(written);
    sql.remove_prefix(taken);
  }
  return out;
}

} // namespace tobit::storage
