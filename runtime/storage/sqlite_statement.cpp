#include "runtime/storage/sqlite_statement.hpp"

#include "runtime/storage/dialect.hpp"

#include <charconv>
#include <cmath>

namespace tobit::storage {

namespace {

// Statements are literals, a few hundred in the whole program. If somebody builds texts after all, this keeps it
// bounded.
constexpr std::size_t cache_max = 1'000;

struct binder {
  sqlite3_stmt* to;
  int index;
  int operator()(std::monostate) const { return sqlite3_bind_null(to, index); }
  int operator()(std::int64_t v) const { return sqlite3_bind_int64(to, index, v); }
  // SQLite turns NaN into NULL by itself; said here because the other adapter does the same on purpose.
  int operator()(double v) const {
    return std::isnan(v) ? sqlite3_bind_null(to, index) : sqlite3_bind_double(to, index, v);
  }
  int operator()(const std::string& v) const {
    return sqlite3_bind_text64(to, index, v.data(), v.size(), SQLITE_STATIC, SQLITE_UTF8);
  }
  int operator()(const bytes& v) const {
    if (v.data.empty()) return sqlite3_bind_zeroblob(to, index, 0);
    return sqlite3_bind_blob64(to, index, v.data.data(), v.data.size(), SQLITE_STATIC);
  }
};

value column(sqlite3_stmt* from, int i) {
  const auto size = [&] { return static_cast<std::size_t>(sqlite3_column_bytes(from, i)); };
  switch (sqlite3_column_type(from, i)) {
  case SQLITE_INTEGER:
    return static_cast<std::int64_t>(sqlite3_column_int64(from, i));
  case SQLITE_FLOAT:
    return sqlite3_column_double(from, i);
  case SQLITE_TEXT: {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(from, i));
    return std::string(text, size());
  }
  case SQLITE_BLOB: {
    const auto* raw = static_cast<const char*>(sqlite3_column_blob(from, i));
    return bytes{raw ? std::string(raw, size()) : std::string{}};
  }
  default:
    return std::monostate{};
  }
}

} // namespace

sqlite_statement::sqlite_statement(sqlite3_stmt* raw) : raw_(raw) {
  const int count = sqlite3_bind_parameter_count(raw);
  for (int i = 1; i <= count; ++i) {
    const char* name = sqlite3_bind_parameter_name(raw, i);
    std::size_t number = 0;
    if (name) {
      const std::string_view text{name};
      std::from_chars(text.data() + 1, text.data() + text.size(), number);
    }
    number_of_.push_back(number - 1); // a name that is not `$n` becomes out of range, which `bind` reports
    params_ = std::max(params_, number);
  }
}

int sqlite_statement::bind(const std::vector<value>& params) {
  if (params.size() != params_) return SQLITE_RANGE;
  for (std::size_t i = 0; i < number_of_.size(); ++i) {
    if (number_of_[i] >= params.size()) return SQLITE_RANGE;
    const int code = std::visit(binder{raw_.get(), static_cast<int>(i) + 1}, params[number_of_[i]]);
    if (code != SQLITE_OK) return code;
  }
  return SQLITE_OK;
}

std::vector<value> sqlite_statement::row() const {
  const int count = sqlite3_column_count(raw_.get());
  std::vector<value> values;
  values.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) values.push_back(column(raw_.get(), i));
  return values;
}

void sqlite_statement::reset() noexcept {
  sqlite3_reset(raw_.get());
  sqlite3_clear_bindings(raw_.get());
}

sqlite_statement* sqlite_statement_cache::get(sqlite3* connection, std::string_view sql) {
  if (auto known = prepared_.find(sql); known != prepared_.end()) return known->second.get();
  const auto text = to_dialect(sql, dialect::sqlite);
  sqlite3_stmt* raw = nullptr;
  const int code = sqlite3_prepare_v3(connection, text.data(), static_cast<int>(text.size()), SQLITE_PREPARE_PERSISTENT,
                                      &raw, nullptr);
  if (code != SQLITE_OK || !raw) return nullptr;
  if (prepared_.size() >= cache_max) prepared_.clear();
  return prepared_.emplace(sql, std::make_unique<sqlite_statement>(raw)).first->second.get();
}

} // namespace tobit::storage
