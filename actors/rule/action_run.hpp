#pragma once

#include "runtime/entity/entity_logic.hpp"
#include "schemas/entity/entity_protocol.hpp"
#include "schemas/ids.hpp"
#include "schemas/json.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

/// The actions of one firing on their way: which are done, which are under way, which wait. Pure.
namespace tobit::rule {

/// Executions of one rule that may be under way at once; further ones fail and say so.
inline constexpr std::size_t runs_max = 500;

/// One action of a firing, with everything filled in that it will need.
struct action_step {
  json shown;                     ///< for the log: its type, and what tells it from others
  json effect;                    ///< {type, body}; null: it has none, or has begun
  json record;                    ///< of a `store`: {event_id, severity, summary}
  bool goes_on = false;           ///< its failure does not stop those behind it
  std::string status = "waiting"; ///< waiting | pending | done | failed | skipped | cancelled
  std::string effect_id;          ///< while it is pending
  std::string error;              ///< why it failed or was skipped; on one that waits: why it will fail

  bool open() const noexcept { return status == "waiting" || status == "pending"; }
};

/// What `begin_steps` needs to know of the firing.
struct run_place {
  const entity_ref& rule;
  const entity::moment& at;
};

/// The actions of one firing. In sequence each waits until the one before it is done; otherwise all begin at once.
struct action_run {
  std::string exec_id;
  std::int64_t fired_at_us = 0;
  bool in_sequence = false;
  std::string rule_name;
  json payload; ///< what webhooks carry and records keep
  std::vector<action_step> steps;

  /// Begins what can begin: effects and rows go to `out`.
  void begin_steps(const run_place& where, entity::decision& out);
  /// Notes how a step's effect ended. False if none of that id is under way.
  bool settle(const entity::effect_settled& told);
  /// Gives up everything that is open.
  void abandon(const std::string& why);
  /// Somebody ended it on purpose: what waits does not begin; how what is under way ends nobody will note.
  void cancel(const std::string& why);

  bool open() const noexcept;
  /// Of the whole execution: pending | success | fail | cancelled.
  std::string_view status() const noexcept;
  /// The first failure, for the user; empty if there is none.
  std::string error() const;
  /// Nobody but the rule can tell how it ends: several actions, or a message to another entity.
  bool needs_reports() const;
  /// The steps for the log: what they are, their status and error.
  json shown() const;

private:
  void begin(std::size_t place, const run_place& where, entity::decision& out);
};

/// The runs of a rule that are under way. Changed only by the events that the rule journals.
class run_table {
public:
  const action_run* find(const std::string& exec_id) const;
  std::size_t size() const noexcept { return runs_.size(); }
  /// Those that fired before `until`: their end will not be reported any more.
  std::vector<std::string> older_than(utc_time until) const;

  /// Other messages change nothing.
  void apply(const message& event);
  /// Null if nothing is under way.
  json snapshot() const;
  void restore(const json& snapshot); ///< throws json::exception on what is no snapshot
  json view() const;

private:
  std::map<std::string, action_run> runs_;
};

/// The events that bring a table to hold a new run, and a known run to its new state.
message begun(action_run run);
message moved(const action_run& before, const action_run& after);

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(action_step, shown, effect, record, goes_on, status, effect_id, error)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(action_run, exec_id, fired_at_us, in_sequence, rule_name, payload,
                                                steps)

} // namespace tobit::rule
