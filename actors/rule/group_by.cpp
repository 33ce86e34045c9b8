#include "actors/rule/group_by.hpp"

#include <xxhash.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

namespace tobit::rule {

namespace {

// One value: a letter for its type, then for texts a length of four bytes and the text, for numbers eight bytes.
constexpr char no_value = 'z', yes = 'y', no = 'n', whole = 'i', huge = 'u', real = 'd', letters = 't', document = 'j';

template <class T>
void append_bytes(std::string& out, char type, T value) {
  char bytes[sizeof value + 1];
  bytes[0] = type;
  std::memcpy(bytes + 1, &value, sizeof value);
  out.append(bytes, sizeof bytes);
}

void append_text(std::string& out, char type, std::string_view text) {
  if (text.size() <= group_value_bytes_max) {
    append_bytes(out, type, static_cast<std::uint32_t>(text.size()));
    out.append(text);
    return;
  }
  const auto mark = "…" + std::to_string(XXH3_64bits(text.data(), text.size()));
  auto kept = text.substr(0, group_value_bytes_max - 40);
  while (!kept.empty() && (static_cast<unsigned char>(text[kept.size()]) & 0xc0) == 0x80) kept.remove_suffix(1);
  append_bytes(out, letters, static_cast<std::uint32_t>(kept.size() + mark.size()));
  out.append(kept).append(mark);
}

void append_number(std::string& out, const json& value) {
  if (value.is_number_unsigned() &&
      value.get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
    return append_bytes(out, huge, value.get<std::uint64_t>());
  if (value.is_number_integer()) return append_bytes(out, whole, value.get<std::int64_t>());
  const double d = value.get<double>();
  if (d == std::trunc(d) && std::abs(d) < 9e15) return append_bytes(out, whole, static_cast<std::int64_t>(d));
  append_bytes(out, real, d);
}

/// Takes one value off the front. Discarded: the bytes are no key.
json take_value(std::string_view& key) {
  const auto fixed = [&](auto value) {
    if (key.size() < sizeof value) return json(json::value_t::discarded);
    std::memcpy(&value, key.data(), sizeof value);
    key.remove_prefix(sizeof value);
    return json(value);
  };
  if (key.empty()) return json(json::value_t::discarded);
  const char type = key.front();
  key.remove_prefix(1);
  switch (type) {
  case no_value:
    return nullptr;
  case yes:
    return true;
  case no:
    return false;
  case whole:
    return fixed(std::int64_t{});
  case huge:
    return fixed(std::uint64_t{});
  case real:
    return fixed(double{});
  default:
    break;
  }
  const auto length = fixed(std::uint32_t{});
  if (length.is_discarded() || length.get<std::uint32_t>() > key.size()) return json(json::value_t::discarded);
  const auto text = key.substr(0, length.get<std::uint32_t>());
  key.remove_prefix(text.size());
  if (type == letters) return text;
  auto parsed = parse_json(text);
  return parsed ? std::move(*parsed) : json(json::value_t::discarded);
}

} // namespace

void append_key_value(std::string& out, const operand& found) {
  if (found.is == operand::type::text) return append_text(out, letters, found.text);
  if (found.is == operand::type::boolean) return out.push_back(found.flag ? yes : no);
  if (!found.value || found.is == operand::type::null) return out.push_back(no_value);
  if (found.is == operand::type::number) return append_number(out, *found.value);
  append_text(out, document, to_text(*found.value));
}

group_by::group_by(const std::vector<std::string>& paths) {
  for (const auto& path : paths) paths_.emplace_back(path);
}

void group_by::read(const subject& where, std::string& out) const {
  out.clear();
  for (const auto& path : paths_) append_key_value(out, path.in(where));
}

json group_by::values_of(std::string_view key) const {
  auto out = json::array();
  for (std::size_t i = 0; i < paths_.size(); ++i) {
    auto value = take_value(key);
    out.push_back(value.is_discarded() ? json() : std::move(value));
  }
  return out;
}

std::string group_by::text_of(std::string_view key) const { return empty() ? std::string{} : to_text(values_of(key)); }

json group_by::labels_of(std::string_view key) const {
  if (empty()) return nullptr;
  auto out = json::object();
  auto values = values_of(key);
  for (std::size_t i = 0; i < paths_.size(); ++i) out[paths_[i].text()] = std::move(values[i]);
  return out;
}

std::optional<std::string> group_by::key_of(std::string_view text) const {
  if (empty()) return text.empty() ? std::optional(std::string{}) : std::nullopt;
  const auto values = parse_json(text);
  if (!values || !values->is_array() || values->size() != paths_.size()) return std::nullopt;
  std::string out;
  for (const auto& value : *values) append_key_value(out, operand::of(&value));
  return out;
}

} // namespace tobit::rule
