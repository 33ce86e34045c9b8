#include "actors/rule/rule_state.hpp"
#include "schemas/rule/rule_events.hpp"

#include <algorithm>

/// What becomes of a firing after it: actions that end and let others begin, firings that were one too many, and the
/// messages of rules to rules.
namespace tobit::rule {

namespace {

/// After this time nobody reports how an effect ended: the runtime has given up long before.
constexpr std::chrono::hours report_time_max{24};

execution_progress progress_of(const action_run& run, const entity_ref& rule, utc_time now) {
  return {run.exec_id,
          rule.tenant,
          run.status(),
          run.error(),
          std::chrono::duration_cast<std::chrono::milliseconds>(now - from_micros(run.fired_at_us)),
          run.shown()};
}

} // namespace

result<entity::decision> rule_state::on_settled(const entity::effect_settled& told, const entity::moment& at) {
  entity::decision out;
  out.reply = message::of(entity::entity_done{});
  const auto* known = memory_.runs.find(told.correlation);
  if (!known) return out;
  auto run = *known;
  if (!run.settle(told)) return out; // told before
  if (!told.done) note_failure(run.error(), at);
  run.begin_steps({identity_.ref, at}, out);
  for (auto& wanted : out.effects) wanted.report = true;
  out.events.push_back(moved(*known, run));
  out.statements.push_back(update_execution(progress_of(run, identity_.ref, at.now)));
  return out;
}

void rule_state::abandon_old_runs(const entity::moment& at, entity::decision& out) const {
  if (memory_.runs.size() < runs_max) return;
  auto ids = memory_.runs.older_than(at.now - report_time_max);
  if (ids.empty()) return;
  for (const auto& id : ids) {
    auto run = *memory_.runs.find(id);
    run.abandon("Nobody could tell how it ended.");
    out.statements.push_back(update_execution(progress_of(run, identity_.ref, at.now)));
  }
  out.events.push_back(message::of(runs_abandoned{std::move(ids)}));
}

void rule_state::cancel_runs(const std::string& why, const entity::moment& at, entity::decision& out) const {
  for (const auto& id : memory_.runs.older_than(utc_time::max())) {
    auto run = *memory_.runs.find(id);
    run.cancel(why);
    out.statements.push_back(update_execution(progress_of(run, identity_.ref, at.now)));
  }
}

void rule_state::note_throttled(std::int64_t firings, const entity::moment& at, entity::decision& out) {
  if (firings == 0) return;
  out.events.push_back(message::of(firings_throttled{to_micros(at.now), firings}));
  const auto minute = to_rfc3339(throttle_.minute());
  auto told = row(identity_.ref.tenant.value + "/" + identity_.ref.key + "/throttled/" + minute, "throttled",
                  std::string(to_string(trigger_.type())), at);
  told.error = std::to_string(throttle_.refused()) + " firings within this minute were left out: the rule may fire " +
               std::to_string(throttle_.limit()) + " times a minute (max_firings_per_minute).";
  told.references = {
      {"throttled", throttle_.refused()}, {"minute", minute}, {"max_firings_per_minute", throttle_.limit()}};
  out.statements.push_back(upsert_throttled(told));
}

result<void> rule_state::check_chain(const std::vector<std::string>& chain) const {
  if (chain.empty()) return {};
  if (std::find(chain.begin(), chain.end(), identity_.ref.key) != chain.end() || chain.size() >= trigger_depth_max)
    return fail(error_code::unprocessable, "Rules trigger each other in a loop, or too many in a row (" +
                                               std::to_string(trigger_depth_max) + "); break the chain.");
  if (!active_) return fail(error_code::unprocessable, "The rule '" + clip_text(identity_.name, 200) + "' is paused.");
  return {};
}

} // namespace tobit::rule
