#include "runtime/storage/postgres_value.hpp"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <system_error>

namespace tobit::storage {

namespace {

// Object ids of built-in types, fixed by PostgreSQL (src/include/catalog/pg_type.dat).
enum : pqxx::oid {
  oid_bool = 16,
  oid_bytea = 17,
  oid_int8 = 20,
  oid_int2 = 21,
  oid_int4 = 23,
  oid_oid = 26,
  oid_float4 = 700,
  oid_float8 = 701,
  oid_numeric = 1700
};

constexpr char digits[] = "0123456789abcdef";

std::string to_hex(const std::string& raw) {
  std::string out(2 + raw.size() * 2, '\\');
  out[1] = 'x';
  std::size_t at = 2;
  for (const char c : raw) {
    const auto byte = static_cast<unsigned char>(c);
    out[at++] = digits[byte >> 4];
    out[at++] = digits[byte & 15];
  }
  return out;
}

unsigned nibble(char c) { return static_cast<unsigned>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10) & 15u; }

// The server is asked for bytea_output=hex, see the session's settings.
std::string from_hex(std::string_view text) {
  std::string out;
  out.reserve(text.size() / 2);
  for (std::size_t i = 2; i + 1 < text.size(); i += 2)
    out.push_back(static_cast<char>(nibble(text[i]) << 4 | nibble(text[i + 1])));
  return out;
}

std::string to_decimal(double v) {
  if (std::isinf(v)) return v > 0 ? "Infinity" : "-Infinity";
  char buffer[32];
  const auto [end, code] = std::to_chars(buffer, buffer + sizeof buffer, v);
  (void)code;
  return {buffer, end};
}

value to_number(std::string_view text) {
  std::int64_t whole = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), whole);
  if (code == std::errc{} && end == text.data() + text.size()) return whole;
  return std::strtod(std::string(text).c_str(), nullptr);
}

value to_value(const pqxx::field& f) {
  if (f.is_null()) return std::monostate{};
  const std::string_view text{f.c_str(), f.size()};
  switch (f.type()) {
  case oid_bool:
    return std::int64_t{text == "t"};
  case oid_bytea:
    return bytes{from_hex(text)};
  case oid_int2:
  case oid_int4:
  case oid_int8:
  case oid_oid:
  case oid_numeric:
    return to_number(text); // numeric: what sum() of integers gives
  case oid_float4:
  case oid_float8:
    return std::strtod(f.c_str(), nullptr);
  default:
    return std::string(text);
  }
}

} // namespace

postgres_params::postgres_params(const std::vector<value>& values) {
  written_.reserve(values.size()); // the pointers go into it: it must not grow
  pointers_.reserve(values.size());
  const auto keep = [this](std::string text) { pointers_.push_back(written_.emplace_back(std::move(text)).c_str()); };
  for (const auto& v : values) {
    if (auto* number = std::get_if<std::int64_t>(&v))
      keep(std::to_string(*number));
    else if (auto* real = std::get_if<double>(&v); real && !std::isnan(*real))
      keep(to_decimal(*real));
    else if (auto* text = std::get_if<std::string>(&v))
      pointers_.push_back(text->c_str());
    else if (auto* raw = std::get_if<bytes>(&v))
      keep(to_hex(raw->data));
    else
      pointers_.push_back(nullptr);
  }
}

rows to_rows(const pqxx::result& answer) {
  rows out;
  out.values.reserve(answer.size());
  for (const auto& row : answer) {
    auto& line = out.values.emplace_back();
    line.reserve(row.size());
    for (const auto& f : row) line.push_back(to_value(f));
  }
  return out;
}

} // namespace tobit::storage
