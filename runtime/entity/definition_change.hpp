#pragma once

#include "runtime/entity/stored_entity.hpp"
#include "runtime/entity/unit_parts.hpp"

/// The transactions that change what an entity is, as opposed to what it decided.
namespace tobit::entity {

/// A new version, understood and ready to go live.
struct definition_change {
  const entity_ref& ref;
  const fence& right;
  const stored_entity* before; ///< the row so far; null if there is none
  json definition_before;      ///< null if there is none or it was deleted
  const compiled_definition& compiled;
  std::string_view change; ///< create | update | rollback | enable | disable
  std::string_view summary;
  std::string state; ///< snapshot of the new logic
  const call_context& context;
  utc_time now;
  std::optional<utc_time> wake_at; ///< what the new logic wants
};

/// The row as it will be after the change. Its journal position is one further: the change counts as one step.
stored_entity row_after(const definition_change& change);

/// Entity row, definition, interests and audit row in one transaction.
storage::unit_of_work unit_of(const definition_change& change, const stored_entity& after);

/// What the author gets to see: the definition with its version, times and author.
json shown_definition(const json& definition, const stored_entity& row);

/// Marks the entity deleted and removes its interests.
storage::unit_of_work unit_of_delete(const entity_ref& ref, const fence& right, const stored_entity& before,
                                     const json& definition, const call_context& context, utc_time now);

/// Sets or lifts quarantine by hand.
storage::unit_of_work unit_of_quarantine(const entity_ref& ref, const fence& right, const stored_entity& before,
                                         std::string_view reason, const call_context& context, utc_time now);
storage::unit_of_work unit_of_revival(const entity_ref& ref, const fence& right, const stored_entity& before,
                                      std::string_view reason, const call_context& context, utc_time now);

/// Only the audit row of an operator's action.
storage::unit_of_work unit_of_action(const entity_ref& ref, const fence& right, std::string_view action,
                                     std::string_view reason, const call_context& context, utc_time now);

/// A crash and what follows from it.
storage::unit_of_work unit_of_crash(const entity_ref& ref, const fence& right, const crash_record& crash,
                                    bool quarantine, utc_time now);

} // namespace tobit::entity
