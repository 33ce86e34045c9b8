#include "runtime/storage/session.hpp"

#include <utility>

namespace tobit::storage {

session_result<void> check_expectation(const statement& what, std::int64_t affected) {
  if (what.expect_rows && *what.expect_rows != affected)
    return tl::unexpected(session_failure{error{what.mismatch}, blame::statement});
  return {};
}

session_result<write_outcome> session::run_unit(const unit_of_work& unit) {
  write_outcome outcome;
  outcome.affected.reserve(unit.statements.size());
  outcome.returned.reserve(unit.statements.size());
  for (const auto& what : unit.statements) {
    auto step = run(what);
    if (!step) return tl::unexpected(std::move(step.error()));
    if (auto met = check_expectation(what, step->affected); !met) return tl::unexpected(std::move(met.error()));
    outcome.affected.push_back(step->affected);
    outcome.returned.push_back(std::move(step->returned));
  }
  return outcome;
}

session_result<std::vector<write_outcome>> session::run_units(const std::vector<const unit_of_work*>& units) {
  std::vector<write_outcome> outcomes;
  outcomes.reserve(units.size());
  for (const auto* unit : units) {
    auto outcome = run_unit(*unit);
    if (!outcome) return tl::unexpected(std::move(outcome.error()));
    outcomes.push_back(std::move(*outcome));
  }
  return outcomes;
}

} // namespace tobit::storage
