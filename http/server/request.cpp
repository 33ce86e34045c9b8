#include "http/server/server.hpp"

namespace tobit::http {

std::string_view request::header(std::string_view lower_case_name) const noexcept {
  for (const auto& [name, value] : headers)
    if (name == lower_case_name) return value;
  return {};
}

const std::string* request::query_value(std::string_view name) const noexcept {
  for (const auto& [key, value] : query)
    if (key == name) return &value;
  return nullptr;
}

} // namespace tobit::http
