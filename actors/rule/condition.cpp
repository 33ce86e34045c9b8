#include "actors/rule/condition.hpp"

#include <algorithm>

namespace tobit::rule {

std::string_view to_string(group_logic logic) noexcept {
  return logic == group_logic::all ? "AND" : logic == group_logic::any ? "OR" : "NOT";
}

condition condition::compile(const json& spec) {
  condition out;
  if (auto members = spec.find("conditions"); members != spec.end()) {
    const auto& logic = spec.at("logic").get_ref<const std::string&>();
    out.logic_ = logic == "AND" ? group_logic::all : logic == "OR" ? group_logic::any : group_logic::none;
    out.members_.reserve(members->size());
    for (const auto& member : *members) out.members_.push_back(compile(member));
    return out;
  }
  const auto op = parse_comparison_op(spec.at("op").get_ref<const std::string&>());
  out.leaf_ = std::make_unique<comparison>(
      comparison{field_path{spec.at("field").get<std::string>()},
                 expectation{op.value_or(comparison_op::equal), spec.at("value"), spec.value("case_sensitive", true)}});
  return out;
}

bool condition::matches(const subject& where) const noexcept {
  if (leaf_) return leaf_->expected.compare(leaf_->field.in(where)) == expectation::outcome::matched;
  const auto member_matches = [&](const condition& member) { return member.matches(where); };
  switch (logic_) {
  case group_logic::all:
    return std::all_of(members_.begin(), members_.end(), member_matches);
  case group_logic::any:
    return std::any_of(members_.begin(), members_.end(), member_matches);
  case group_logic::none:
    break;
  }
  return std::none_of(members_.begin(), members_.end(), member_matches);
}

condition::explained condition::explain(const subject& where) const {
  if (leaf_) {
    const auto actual = leaf_->field.in(where);
    const auto outcome = leaf_->expected.compare(actual);
    const bool matched = outcome == expectation::outcome::matched;
    json out{{"field", leaf_->field.text()},
             {"operator", to_string(leaf_->expected.op())},
             {"expected", clip(leaf_->expected.value())},
             {"actual", actual.show()},
             {"condition_evaluated", matched}};
    if (!matched) out["reason"] = rule::explain(outcome, actual, leaf_->expected);
    return {matched, std::move(out)};
  }
  auto evaluated = json::array();
  std::size_t matches = 0;
  for (const auto& member : members_) {
    auto one = member.explain(where);
    matches += one.matched;
    evaluated.push_back(std::move(one.references));
  }
  const bool matched = logic_ == group_logic::all   ? matches == members_.size()
                       : logic_ == group_logic::any ? matches > 0
                                                    : matches == 0;
  return {matched, json{{"composite_logic", to_string(logic_)},
                        {"conditions_evaluated", std::move(evaluated)},
                        {"final_result", matched}}};
}

} // namespace tobit::rule
