#include "actors/rule/make_evaluator.hpp"

#include "actors/rule/anomaly_evaluator.hpp"
#include "actors/rule/condition_evaluator.hpp"
#include "actors/rule/pattern/pattern_evaluator.hpp"
#include "actors/rule/window/window_evaluator.hpp"

namespace tobit::rule {

bool has_alerts(const json& definition) {
  const auto alert = definition.find("alert");
  return alert != definition.end() && !alert->is_null();
}

std::unique_ptr<evaluator> make_evaluator(const json& definition, const trigger& when) {
  const auto& spec = definition.at("trigger_spec");
  if (when.type() == trigger_type::pattern) return std::make_unique<pattern::pattern_evaluator>(definition);
  if (when.type() == trigger_type::anomaly) return std::make_unique<anomaly_evaluator>(definition, when);
  if (spec.contains("window_config")) return std::make_unique<window::window_evaluator>(definition, when);
  return std::make_unique<condition_evaluator>(when, group_by{spec.value("group_by", std::vector<std::string>{})},
                                               has_alerts(definition));
}

} // namespace tobit::rule
