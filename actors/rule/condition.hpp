#pragma once

#include "actors/rule/comparison.hpp"
#include "actors/rule/subject.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace tobit::rule {

/// How the members of a group are combined. `none` is written NOT: no member matched.
enum class group_logic : std::uint8_t { all, any, none };
std::string_view to_string(group_logic logic) noexcept; ///< AND, OR, NOT

inline constexpr std::size_t conditions_max = 100;    ///< comparisons in one rule
inline constexpr std::size_t condition_depth_max = 8; ///< groups inside groups, the outermost counted

/// One comparison or a group of conditions, compiled: paths are split and values typed once. Immutable; thread-safe.
///
///     {"field": "cpu.percent", "op": ">", "value": 90}
///     {"logic": "OR", "conditions": [{…}, {"logic": "NOT", "conditions": […]}]}
class condition {
public:
  /// Precondition: `spec` was normalised by `read_condition`.
  static condition compile(const json& spec);

  condition(condition&&) noexcept = default;
  condition& operator=(condition&&) noexcept = default;

  /// The verdict alone: stops at the first member that decides, allocates nothing.
  bool matches(const subject& where) const noexcept;

  /// The same verdict with its explanation; evaluates every member. A group gives `composite_logic`,
  /// `conditions_evaluated`, `final_result`; a comparison `field`, `operator`, `expected`, `actual`,
  /// `condition_evaluated` and, unless it matched, `reason`.
  struct explained {
    bool matched = false;
    json references;
  };
  explained explain(const subject& where) const;

  bool is_group() const noexcept { return !leaf_; }
  /// The field of a comparison; null for a group.
  const field_path* field() const noexcept { return leaf_ ? &leaf_->field : nullptr; }

private:
  struct comparison {
    field_path field;
    expectation expected;
  };
  condition() = default;

  std::unique_ptr<comparison> leaf_; ///< null for a group
  group_logic logic_ = group_logic::all;
  std::vector<condition> members_;
};

} // namespace tobit::rule
