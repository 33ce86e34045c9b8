#pragma once

#include "actors/rule/action_run.hpp"
#include "actors/rule/condition.hpp"
#include "actors/rule/execution_log.hpp"
#include "actors/rule/text_template.hpp"
#include "actors/rule/trigger.hpp"
#include "runtime/entity/entity_logic.hpp"
#include "schemas/ids.hpp"

#include <optional>
#include <string>
#include <vector>

/// What happens when a rule fires: its actions become effects and rows of the decision.
namespace tobit::rule {

/// Longest summary of a stored event, in bytes.
inline constexpr std::size_t summary_bytes_max = 2'000;

/// Whose actions they are.
struct rule_identity {
  entity_ref ref;
  std::int64_t version = 0;
  std::string name, severity;
};

/// Why a rule fires.
struct occasion {
  std::string exec_id;
  std::string executed_by; ///< "schedule", "metric", "event", "anomaly", or a principal
  /// The member of the payload that says what woke it: "tick", "metric", "event", "payload", "window", "pattern".
  std::string_view wake;
  json woken_by; ///< its value
  subject where; ///< what placeholders look into; may refer to `woken_by`, so build this in place
  trigger_verdict verdict;
  json labels = nullptr;            ///< the values of `group_by`; null without groups
  bool resolved = false;            ///< the alert is over: only actions that want to hear of that
  std::vector<std::string> chain{}; ///< the rules that led to this firing, the first one first
};

/// What follows from a firing.
struct fired {
  bool waits = false; ///< effects are on their way
  std::string error;  ///< an action failed at once, and nothing is on its way
};

/// The actions of a rule, compiled. Immutable; thread-safe.
class action_list {
public:
  /// Precondition: a normalised `action_spec`.
  explicit action_list(const json& action_spec);

  bool empty() const noexcept { return actions_.empty(); }
  /// Some action wants to run when an alert is resolved.
  bool wants_resolved() const noexcept;

  /// Adds what the actions intend, the execution row and the stream's news to `out`. `under_way`: of this rule; what is
  /// to be remembered about this firing goes to `out` as an event.
  fired fire(const rule_identity& rule, occasion&& why, const entity::moment& at, const run_table& under_way,
             entity::decision& out) const;

  /// The action as it would run, header values hidden: one object, a multi_action, or null.
  json resolved(const rule_identity& rule, const occasion& why, const entity::moment& at) const;

private:
  enum class kind { webhook, store, notify, trigger, api };
  struct action {
    json spec;
    kind what = kind::store;
    std::optional<text_template> message;
    std::optional<condition> when;
    bool on_firing = true, on_resolved = false;
  };
  action_step step_of(const action& a, std::size_t place, const action_run& run, const rule_identity& rule,
                      const occasion& why, const text_template::lookup& lookup) const;

  bool in_sequence_ = false;
  std::vector<action> actions_;
};

/// The JSON that a webhook carries and a stored event keeps.
json payload_of(const rule_identity& rule, const occasion& why, const entity::moment& at);

} // namespace tobit::rule
