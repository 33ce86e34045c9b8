#pragma once

#include "actors/rule/field_reader.hpp"
#include "schemas/json.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace re2 {
class RE2;
} // namespace re2

namespace tobit::alert {

inline constexpr std::size_t matchers_max = 20;
/// Longest regular expression, in bytes. RE2 takes linear time whatever the expression, and bounded memory.
inline constexpr std::size_t pattern_bytes_max = 200;

/// One test on one label: `=`, `!=`, `=~`, `!~` (regular expressions that match the whole value, syntax of RE2) or `in`
/// a list. A label that is not there counts as empty. Immutable; thread-safe.
class label_matcher {
public:
  /// Precondition: normalised by `read_matchers`.
  explicit label_matcher(const json& spec);

  bool matches(const json& labels) const;

private:
  enum class kind { equal, not_equal, pattern, not_pattern, in };
  std::string label_;
  kind kind_ = kind::equal;
  std::string value_;
  std::vector<std::string> values_;
  std::shared_ptr<const re2::RE2> pattern_;
};

/// All of them; an empty list matches everything.
class matcher_list {
public:
  matcher_list() = default;
  explicit matcher_list(const json& specs);
  bool matches(const json& labels) const;
  bool empty() const noexcept { return all_.empty(); }

private:
  std::vector<label_matcher> all_;
};

/// Checks a list of matchers, each as an object {"label", "op", "value"} or as text, `host=~"db-.*"`, and gives the
/// objects. Null: an empty list.
json read_matchers(rule::verdict& v, const json* list, const std::string& pointer);

} // namespace tobit::alert
