#include "runtime/storage/statement.hpp"

namespace tobit::storage {

std::int64_t as_int(const value& v, std::int64_t otherwise) noexcept {
  if (auto* number = std::get_if<std::int64_t>(&v)) return *number;
  return otherwise;
}

double as_double(const value& v, double otherwise) noexcept {
  if (auto* number = std::get_if<double>(&v)) return *number;
  if (auto* number = std::get_if<std::int64_t>(&v)) return static_cast<double>(*number);
  return otherwise;
}

const std::string& as_text(const value& v) noexcept {
  static const std::string empty;
  if (auto* text = std::get_if<std::string>(&v)) return *text;
  if (auto* raw = std::get_if<bytes>(&v)) return raw->data;
  return empty;
}

} // namespace tobit::storage
