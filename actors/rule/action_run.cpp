#include "actors/rule/action_run.hpp"

#include "actors/rule/comparison.hpp"
#include "actors/rule/execution_log.hpp"
#include "schemas/rule/rule_events.hpp"

#include <algorithm>

namespace tobit::rule {

namespace {

constexpr std::size_t runs_shown = 20;

/// The receiver's words, in the words of the action.
std::string reason_of(const action_step& step, const entity::effect_settled& told) {
  const auto type = step.shown.value("type", "");
  const auto& not_found = describe(error_code::not_found).name;
  if (type == "api" && (told.error_name == not_found))
    return "There is no API definition '" + step.shown.value("api_id", "") + "'.";
  return told.error.empty() ? std::string("It failed without a reason.") : clip_text(told.error, 500);
}

} // namespace

// -- one run --------------------------------------------------------------------------------------------------------

void action_run::begin(std::size_t place, const run_place& where, entity::decision& out) {
  auto& step = steps[place];
  if (!step.error.empty()) {
    step.status = "failed";
    return;
  }
  step.status = "done";
  if (!step.record.is_null()) {
    stored_event row{step.record.value("event_id", exec_id),
                     where.rule.tenant,
                     where.rule.key,
                     rule_name,
                     exec_id,
                     where.at.now,
                     step.record.value("severity", ""),
                     step.record.value("summary", ""),
                     payload,
                     where.at.context.trace};
    out.statements.push_back(insert_stored_event(row));
    out.publications.push_back({"cep.events", to_stream_item(row), "new_event"});
  }
  if (step.effect.is_null()) return;
  entity::effect wanted{step.effect.at("type").get<std::string>(), std::move(step.effect["body"]), exec_id};
  if (wanted.type == "webhook") wanted.body["payload"] = payload;
  step.effect = nullptr;
  step.status = "pending";
  step.effect_id = entity::effect_id(where.at.decision_id, out.effects.size());
  out.effects.push_back(std::move(wanted));
}

void action_run::begin_steps(const run_place& where, entity::decision& out) {
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (steps[i].status == "waiting") begin(i, where, out);
    if (!in_sequence) continue;
    if (steps[i].status == "pending") return;
    if (steps[i].status != "failed" || steps[i].goes_on) continue;
    for (auto later = i + 1; later < steps.size(); ++later)
      if (steps[later].status == "waiting") {
        steps[later].status = "skipped";
        steps[later].error = "An action before it failed.";
        steps[later].effect = nullptr;
      }
  }
}

bool action_run::settle(const entity::effect_settled& told) {
  auto step = std::find_if(steps.begin(), steps.end(), [&](const action_step& s) {
    return s.status == "pending" && s.effect_id == told.effect_id;
  });
  if (step == steps.end()) return false;
  // The rule that was to be triggered took the message and did not fire.
  const auto refused = told.done && told.answer.is_object() && told.answer.value("exec_id", json()) == ""
                           ? told.answer.value("error", std::string{})
                           : std::string{};
  step->status = told.done && refused.empty() ? "done" : "failed";
  step->effect_id.clear();
  if (!told.done) step->error = reason_of(*step, told);
  if (!refused.empty()) step->error = refused;
  return true;
}

void action_run::abandon(const std::string& why) {
  for (auto& step : steps) {
    if (!step.open()) continue;
    step.status = "failed";
    step.error = why;
    step.effect = nullptr;
    step.effect_id.clear();
  }
}

void action_run::cancel(const std::string& why) {
  for (auto& step : steps) {
    if (!step.open()) continue;
    step.error = why + (step.status == "pending" ? " It had begun, and may still be carried out." : "");
    step.status = "cancelled";
    step.effect = nullptr;
    step.effect_id.clear();
  }
}

bool action_run::open() const noexcept {
  return std::any_of(steps.begin(), steps.end(), [](const action_step& s) { return s.open(); });
}

std::string_view action_run::status() const noexcept {
  if (open()) return "pending";
  const auto any = [&](std::string_view word) {
    return std::any_of(steps.begin(), steps.end(), [&](const action_step& s) { return s.status == word; });
  };
  return any("cancelled") ? "cancelled" : any("failed") ? "fail" : "success";
}

std::string action_run::error() const {
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const auto& step = steps[i];
    if (step.status != "failed" && step.status != "cancelled") continue;
    if (steps.size() == 1) return step.error;
    return "Action " + std::to_string(i + 1) + " (" + step.shown.value("type", "") + "): " + step.error;
  }
  return {};
}

bool action_run::needs_reports() const {
  std::size_t pending = 0;
  for (const auto& step : steps) {
    if (step.status == "waiting" || step.status == "failed") return open();
    if (step.status != "pending") continue;
    if (step.shown.value("type", "") != "webhook") return true;
    ++pending;
  }
  return pending > 1;
}

json action_run::shown() const {
  auto list = json::array();
  for (const auto& step : steps) {
    auto one = step.shown;
    one["status"] = step.status;
    if (!step.error.empty()) one["error"] = step.error;
    list.push_back(std::move(one));
  }
  return list;
}

// -- all of a rule --------------------------------------------------------------------------------------------------

const action_run* run_table::find(const std::string& exec_id) const {
  const auto entry = runs_.find(exec_id);
  return entry == runs_.end() ? nullptr : &entry->second;
}

std::vector<std::string> run_table::older_than(utc_time until) const {
  std::vector<std::string> ids;
  for (const auto& [id, run] : runs_)
    if (run.fired_at_us < to_micros(until)) ids.push_back(id);
  return ids;
}

void run_table::apply(const message& event) {
  if (const auto* e = event.as<run_begun>()) {
    auto run = e->run.get<action_run>();
    auto id = run.exec_id;
    runs_.insert_or_assign(std::move(id), std::move(run));
  } else if (const auto* m = event.as<run_moved>()) {
    const auto entry = runs_.find(m->exec_id);
    if (entry == runs_.end()) return;
    auto& steps = entry->second.steps;
    for (const auto& change : m->steps) {
      auto& step = steps.at(change.at("place").get<std::size_t>());
      step.status = change.value("status", "");
      step.effect_id = change.value("effect_id", "");
      step.error = change.value("error", "");
      if (step.status != "waiting") step.effect = nullptr;
    }
    if (!entry->second.open()) runs_.erase(entry);
  } else if (const auto* a = event.as<runs_abandoned>()) {
    for (const auto& id : a->exec_ids) runs_.erase(id);
  }
}

json run_table::snapshot() const {
  if (runs_.empty()) return nullptr;
  auto list = json::array();
  for (const auto& [id, run] : runs_) list.push_back(run);
  return list;
}

void run_table::restore(const json& snapshot) {
  runs_.clear();
  if (snapshot.is_null()) return;
  for (const auto& one : snapshot) {
    auto run = one.get<action_run>();
    auto id = run.exec_id;
    runs_.emplace(std::move(id), std::move(run));
  }
}

json run_table::view() const {
  auto list = json::array();
  for (const auto& [id, run] : runs_) {
    if (list.size() == runs_shown) break;
    list.push_back({{"exec_id", id}, {"fired_at", to_rfc3339(from_micros(run.fired_at_us))}, {"actions", run.shown()}});
  }
  return {{"under_way", runs_.size()}, {"limit", runs_max}, {"first", std::move(list)}};
}

message begun(action_run run) { return message::of(run_begun{json(run)}); }

message moved(const action_run& before, const action_run& after) {
  run_moved out{after.exec_id, json::array()};
  for (std::size_t i = 0; i < after.steps.size(); ++i) {
    const auto& step = after.steps[i];
    if (step.status == before.steps[i].status) continue;
    out.steps.push_back({{"place", i}, {"status", step.status}, {"effect_id", step.effect_id}, {"error", step.error}});
  }
  return message::of(std::move(out));
}

} // namespace tobit::rule
