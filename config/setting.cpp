#include "config/setting.hpp"

#include "config/formats.hpp"

#include <algorithm>
#include <cctype>
#include <numeric>

namespace tobit::config {

namespace {

constexpr unsigned live = 0, restart = 1, secret = 2, operation = 4;

std::string replace_dots(std::string_view key, char by) {
  std::string out(key);
  std::replace(out.begin(), out.end(), '.', by);
  return out;
}

std::string variable_of(std::string_view key) {
  std::string out = "TOBIT_" + replace_dots(key, '_');
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return out;
}

std::string flag_of(std::string_view key) {
  std::string out = "--" + replace_dots(key, '-');
  std::replace(out.begin(), out.end(), '_', '-');
  return out;
}

std::vector<setting_description> build_table() {
  std::vector<setting_description> table{
#define X(identifier, key, type, initial, limits, unit, flags, description, reason)                                    \
  {setting::identifier,                                                                                                \
   key,                                                                                                                \
   setting_type::type,                                                                                                 \
   initial,                                                                                                            \
   limits,                                                                                                             \
   unit,                                                                                                               \
   ((flags)&restart) != 0,                                                                                             \
   ((flags)&secret) != 0,                                                                                              \
   ((flags)&operation) != 0,                                                                                           \
   description,                                                                                                        \
   reason,                                                                                                             \
   variable_of(key),                                                                                                   \
   flag_of(key),                                                                                                       \
   replace_dots(key, '_')},
#include "config/settings.def"
#undef X
  };
  static_assert(live == 0);
  return table;
}

/// Edit distance (insert, delete, replace, each 1): Levenshtein 1965.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

} // namespace

std::string_view to_string(setting_type type) noexcept {
  switch (type) {
  case setting_type::text:
    return "text";
  case setting_type::integer:
    return "integer";
  case setting_type::boolean:
    return "boolean";
  case setting_type::duration:
    return "duration";
  case setting_type::size:
    return "size";
  case setting_type::list:
    return "list";
  case setting_type::choice:
    return "choice";
  }
  return "text";
}

const std::vector<setting_description>& setting_table() {
  static const std::vector<setting_description> table = build_table();
  return table;
}

const setting_description& describe(setting id) noexcept { return setting_table()[static_cast<std::size_t>(id)]; }

const setting_description* find_setting(std::string_view key) noexcept {
  for (const auto& row : setting_table())
    if (row.key == key || row.operation_name == key) return &row;
  return nullptr;
}

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& known) {
  if (word.empty() || word.size() > 100) return std::nullopt; // no typo, and the distance is quadratic
  const std::string* best = nullptr;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const auto& candidate : known) {
    const auto d = distance(word, candidate);
    if (d < best_distance) best_distance = d, best = &candidate;
  }
  if (!best) return std::nullopt;
  return *best;
}

std::string limits_in_words(const setting_description& row) {
  const std::string limits(row.limits);
  switch (row.type) {
  case setting_type::boolean:
    return "true or false";
  case setting_type::choice: {
    std::string out;
    std::size_t start = 0;
    for (;;) {
      const auto bar = limits.find('|', start);
      const bool last = bar == std::string::npos;
      if (!out.empty()) out += last ? " or " : ", ";
      out += limits.substr(start, last ? std::string::npos : bar - start);
      if (last) return out;
      start = bar + 1;
    }
  }
  case setting_type::text:
  case setting_type::list:
    return std::string(format_in_words(row.limits));
  default:
    break;
  }
  const auto dots = limits.find("..");
  std::string out = limits.substr(0, dots) + " to " + limits.substr(dots + 2);
  if (!row.unit.empty()) out += (row.unit == "%" ? "" : " ") + std::string(row.unit);
  return out;
}

} // namespace tobit::config
