#include "actors/rehearsal/written_row.hpp"

#include <charconv>

namespace tobit::rehearsal {

namespace {

constexpr std::string_view opening = "INSERT INTO ";

std::string_view trimmed(std::string_view text) noexcept {
  const auto first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

/// The texts between the commas of `(…)` at the beginning of `rest`, which moves on behind it. Commas inside brackets
/// belong to a text.
std::vector<std::string_view> bracketed(std::string_view& rest) {
  std::vector<std::string_view> out;
  const auto open = rest.find('(');
  if (open == std::string_view::npos) return out;
  std::size_t begin = open + 1;
  int depth = 1;
  for (auto at = begin; at < rest.size(); ++at) {
    if (rest[at] == '(') ++depth;
    const bool end = rest[at] == ')' && --depth == 0;
    if (end || (rest[at] == ',' && depth == 1)) {
      out.push_back(trimmed(rest.substr(begin, at - begin)));
      begin = at + 1;
    }
    if (end) {
      rest.remove_prefix(at + 1);
      return out;
    }
  }
  return {};
}

} // namespace

std::optional<written_row> written_row::of(const storage::statement& what) {
  auto rest = what.sql;
  if (!rest.starts_with(opening)) return std::nullopt;
  rest.remove_prefix(opening.size());
  written_row out;
  out.table_ = trimmed(rest.substr(0, rest.find('(')));
  const auto names = bracketed(rest);
  if (!trimmed(rest).starts_with("VALUES")) return std::nullopt;
  const auto values = bracketed(rest);
  if (names.size() != values.size()) return std::nullopt;
  for (std::size_t i = 0; i < names.size(); ++i) {
    std::size_t number = 0;
    if (values[i].starts_with('$')) std::from_chars(values[i].data() + 1, values[i].data() + values[i].size(), number);
    const bool known = number > 0 && number <= what.params.size();
    out.columns_.push_back({names[i], known ? &what.params[number - 1] : nullptr});
  }
  return out;
}

const storage::value& written_row::operator[](std::string_view name) const noexcept {
  static const storage::value nothing;
  for (const auto& one : columns_)
    if (one.name == name) return one.value ? *one.value : nothing;
  return nothing;
}

std::vector<std::string_view> written_row::columns() const {
  std::vector<std::string_view> out;
  for (const auto& one : columns_) out.push_back(one.name);
  return out;
}

} // namespace tobit::rehearsal
