#include "schemas/json_text.hpp"

#include <algorithm>
#include <charconv>

namespace tobit {

namespace {

/// Stands in JSON as it is, whatever comes before and after it. (An object, so that its calls are inlined.)
constexpr auto plain = [](char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x80 && c != '"' && c != '\\';
};

template <class Integer>
void append_digits(std::string& out, Integer number) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, end);
}

std::string dumped(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

} // namespace

void append_quoted(std::string& out, std::string_view text) {
  if (!std::all_of(text.begin(), text.end(), plain)) {
    out += dumped(json(text));
    return;
  }
  out += '"';
  out += text;
  out += '"';
}

void append_number(std::string& out, std::int64_t number) { append_digits(out, number); }

void append_quoted(std::string& out, const std::vector<std::string>& texts) {
  append_array(out, texts, [](std::string& to, const std::string& one) { append_quoted(to, std::string_view(one)); });
}

void append_json(std::string& out, const json& value) {
  switch (value.type()) {
  case json::value_t::null:
    out += "null";
    return;
  case json::value_t::boolean:
    out += value.get_ref<const bool&>() ? "true" : "false";
    return;
  case json::value_t::number_integer:
    return append_number(out, value.get_ref<const std::int64_t&>());
  case json::value_t::number_unsigned:
    return append_digits(out, value.get_ref<const std::uint64_t&>());
  case json::value_t::string:
    return append_quoted(out, std::string_view(value.get_ref<const std::string&>()));
  case json::value_t::array:
    return append_array(out, value.get_ref<const json::array_t&>(), append_json);
  case json::value_t::object: {
    out += '{';
    bool any = false;
    for (const auto& [name, member] : value.get_ref<const json::object_t&>()) {
      if (any) out += ',';
      any = true;
      append_quoted(out, std::string_view(name));
      out += ':';
      append_json(out, member);
    }
    out += '}';
    return;
  }
  default: // fractions, binary: as the library writes them
    out += dumped(value);
  }
}

} // namespace tobit
