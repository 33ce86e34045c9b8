#pragma once

#include "actors/rule/evaluator.hpp"

#include <memory>

namespace tobit::rule {

/// The evaluator that a normalised definition asks for. `when` is compiled from the same definition and must outlive
/// it. Throws json::exception if the definition is not normalised.
std::unique_ptr<evaluator> make_evaluator(const json& definition, const trigger& when);

/// True for rules whose verdicts go through the table of alerts: it also needs to hear of what does not match.
bool has_alerts(const json& definition);

} // namespace tobit::rule
