#include "runtime/storage/promotion_table.hpp"

#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <functional>
#include <utility>

namespace tobit::storage {

namespace {

constexpr std::size_t batch_rows_max = 1'000, batch_bytes_max = 4u << 20;
// PostgreSQL takes 65,535 parameters; beyond a thousand or so a statement does not get faster per row.
constexpr std::size_t parameters_max = 1'500;

void put(std::string& to, char kind, std::uint64_t number) {
  char raw[9];
  raw[0] = kind;
  std::memcpy(raw + 1, &number, 8);
  to.append(raw, 9);
}

/// Every value as its kind, its length or number, and its bytes: different rows have different texts.
void put(std::string& to, const value& v) {
  if (const auto* whole = std::get_if<std::int64_t>(&v)) return put(to, 'i', static_cast<std::uint64_t>(*whole));
  if (const auto* real = std::get_if<double>(&v)) return put(to, 'd', std::bit_cast<std::uint64_t>(*real));
  if (const auto* text = std::get_if<std::string>(&v)) {
    put(to, 't', text->size());
    to += *text;
  } else if (const auto* raw = std::get_if<bytes>(&v)) {
    put(to, 'b', raw->data.size());
    to += raw->data;
  } else {
    put(to, 'n', 0);
  }
}

std::string sql_name(const std::string& name) { return "\"" + name + "\""; }

} // namespace

void rows_digest::add(const std::vector<value>& row, std::size_t skip) {
  thread_local std::string text;
  text.clear();
  for (auto at = skip; at < row.size(); ++at) put(text, row[at]);
  const auto hash = XXH3_128bits(text.data(), text.size());
  low += hash.low64;
  high += hash.high64;
  ++rows;
}

promotion_table::promotion_table(std::string name, std::vector<column> columns)
    : name_(std::move(name)), columns_(std::move(columns)) {
  std::string lengths;
  for (const auto& one : columns_) {
    list_ += (list_.empty() ? "" : ", ") + sql_name(one.name);
    if (one.type != kind::number) lengths += "+coalesce(length(" + sql_name(one.name) + "),0)";
  }
  const auto from = " FROM " + sql_name(name_) + " WHERE rowid > $1";
  lengths_ = keep("SELECT rowid, 0" + lengths + from + " ORDER BY rowid LIMIT " + std::to_string(batch_rows_max));
  select_ = keep("SELECT rowid, " + list_ + from + " AND rowid <= $2 ORDER BY rowid");
  many_ = std::clamp<std::size_t>(parameters_max / std::max<std::size_t>(1, columns_.size()), 1, 100);
  insert_one_ = keep(insert_text(1));
  insert_many_ = keep(insert_text(many_));
}

std::string promotion_table::insert_text(std::size_t count) const {
  auto text = "INSERT INTO " + sql_name(name_) + " (" + list_ + ") VALUES ";
  std::size_t number = 0;
  for (std::size_t row = 0; row < count; ++row) {
    text += row == 0 ? "(" : ", (";
    for (std::size_t at = 0; at < columns_.size(); ++at) text += (at ? ", $" : "$") + std::to_string(++number);
    text += ")";
  }
  return text;
}

// SQLite keeps what it was given: a text where bytes are declared, or the other way round.
void promotion_table::fit(std::vector<value>& row) const {
  for (std::size_t at = 0; at < columns_.size(); ++at) {
    auto& v = row[at + 1];
    if (auto* text = std::get_if<std::string>(&v); text && columns_[at].type == kind::bytes)
      v = bytes{std::move(*text)};
    else if (auto* raw = std::get_if<bytes>(&v); raw && columns_[at].type == kind::text)
      v = std::string{std::move(raw->data)};
  }
}

session_result<rows> promotion_table::read_batch(session& source, std::int64_t last) {
  auto lengths = source.run({lengths_, {last}});
  if (!lengths) return tl::unexpected(std::move(lengths.error()));
  if (lengths->returned.empty()) return rows{};
  std::size_t size = 0;
  std::int64_t end = last;
  for (const auto& row : lengths->returned.values) {
    const auto length = static_cast<std::size_t>(as_int(row[1]));
    size += length;
    if (end != last && size > batch_bytes_max) break;
    largest_ = std::max(largest_, length);
    end = as_int(row[0]);
  }
  auto found = source.run({select_, {last, end}});
  if (!found) return tl::unexpected(std::move(found.error()));
  for (auto& row : found->returned.values) fit(row);
  return std::move(found->returned);
}

session_result<void> promotion_table::write(session& target, const rows& batch) {
  for (std::size_t next = 0; next < batch.size();) {
    const auto count = batch.size() - next >= many_ ? many_ : 1;
    statement insert{count == 1 ? insert_one_ : insert_many_};
    insert.params.reserve(count * columns_.size());
    for (std::size_t i = 0; i < count; ++i, ++next)
      insert.params.insert(insert.params.end(), batch[next].begin() + 1, batch[next].end());
    if (auto done = target.run(insert); !done) return tl::unexpected(std::move(done.error()));
  }
  return {};
}

session_result<rows_digest> promotion_table::digest_target(session& target,
                                                           const std::function<void(std::size_t)>& seen) {
  const auto cursor = sql_name("promoted_" + name_);
  const auto count = std::clamp<std::size_t>(batch_bytes_max / std::max<std::size_t>(1, largest_), 1, batch_rows_max);
  auto opened =
      target.script("DECLARE " + cursor + " NO SCROLL CURSOR FOR SELECT " + list_ + " FROM " + sql_name(name_));
  if (!opened) return tl::unexpected(std::move(opened.error()));
  const auto fetch = keep("FETCH " + std::to_string(count) + " FROM " + cursor);
  rows_digest digest;
  while (true) {
    auto some = target.run({fetch, {}});
    if (!some) return tl::unexpected(std::move(some.error()));
    if (some->returned.empty()) break;
    for (const auto& row : some->returned.values) digest.add(row);
    seen(some->returned.size());
  }
  auto closed = target.script("CLOSE " + cursor);
  if (!closed) return tl::unexpected(std::move(closed.error()));
  return digest;
}

} // namespace tobit::storage
