#include "runtime/outbound/query.hpp"

#include <cctype>
#include <string_view>
#include <utility>

namespace tobit::outbound {

namespace {

void append_encoded(std::string& out, std::string_view text) {
  constexpr char digits[] = "0123456789ABCDEF";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) || c == '-' || c == '.' || c == '_' || c == '~') {
      out.push_back(c);
    } else {
      out.push_back('%');
      out.push_back(digits[byte >> 4]);
      out.push_back(digits[byte & 15]);
    }
  }
}

} // namespace

std::string plain_text(const json& value) {
  if (value.is_null()) return {};
  return value.is_string() ? value.get<std::string>() : to_text(value);
}

std::string with_query(std::string url, const json& params) {
  const auto fragment = url.find('#');
  if (fragment != url.npos) url.resize(fragment);
  char next = url.find('?') == url.npos ? '?' : '&';
  const auto append = [&](const std::string& name, const json& value) {
    url.push_back(std::exchange(next, '&'));
    append_encoded(url, name);
    url.push_back('=');
    append_encoded(url, plain_text(value));
  };
  for (const auto& [name, value] : params.items()) {
    if (!value.is_array())
      append(name, value);
    else
      for (const auto& one : value) append(name, one);
  }
  return url;
}

} // namespace tobit::outbound
