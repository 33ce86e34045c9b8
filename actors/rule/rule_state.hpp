#pragma once

#include "actors/rule/firing.hpp"
#include "actors/rule/rule_memory.hpp"
#include "actors/rule/trigger.hpp"
#include "runtime/entity/entity_logic.hpp"
#include "schemas/rule/rule_protocol.hpp"

#include <cstdint>
#include <map>
#include <string>

namespace tobit::rule {

/// One rule: its compiled definition, what it remembers, and what it decides about each message. Pure: no clock, no
/// I/O.
///
/// Exactly once: a tick whose due time is not later than the last decided one decides nothing, and so does an event
/// whose offset is not beyond the partition's. The new offset is part of the decision that fires; while nothing matches
/// it is written only every `unmatched_max` events, for judging an event again that did not match changes nothing.
class rule_state final : public entity::entity_logic {
public:
  /// Unmatched events of one partition after which the offset is written down.
  static constexpr std::int64_t unmatched_max = 1'000;

  /// Precondition: `definition` is normalised. Throws json::exception if it is not.
  rule_state(const entity_ref& ref, std::int64_t version, const json& definition);

  result<entity::decision> decide(const message& request, const entity::moment& at) override;
  void apply(const message& event) override { memory_.apply(event); }
  std::string snapshot() const override { return to_snapshot(memory_, trigger_mark_); }
  result<void> restore(std::string_view snapshot) override;
  json view() const override;

private:
  result<entity::decision> on_tick(const run_tick& tick, const entity::moment& at);
  result<entity::decision> on_metric(const evaluate_metric& metric, const entity::moment& at);
  result<entity::decision> on_events(const evaluate_events& batch, const entity::moment& at);
  result<entity::decision> on_trigger(const trigger_rule& request, const entity::moment& at);
  result<entity::decision> on_simulate(const simulate_rule& request, const entity::moment& at);

  struct batch_outcome;
  void judge_event(const event::logged_event& e, const entity::moment& at, batch_outcome& so_far,
                   entity::decision& out);
  execution row(const std::string& exec_id, std::string_view status, std::string by, const entity::moment& at) const;
  void note_failure(const std::string& why, const entity::moment& at);

  /// What is known about a partition without having been written down.
  struct seen_offset {
    std::uint64_t offset = 0;
    std::int64_t unmatched = 0;
  };

  rule_identity identity_;
  bool active_;
  trigger trigger_;
  action_list actions_;
  std::uint64_t trigger_mark_;
  rule_memory memory_;
  std::map<std::int64_t, seen_offset> seen_;
  // Figures since this entity woke up; they are shown and never decide anything.
  std::int64_t evaluated_ = 0, matched_ = 0, failed_ = 0;
  std::string last_error_;
  std::int64_t last_error_at_us_ = 0;
};

} // namespace tobit::rule
