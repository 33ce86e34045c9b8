#pragma once

#include "runtime/entity/effect_handler.hpp"
#include "runtime/entity/entity_logic.hpp"
#include "runtime/entity/placement.hpp"
#include "runtime/storage/statement.hpp"

#include <optional>

/// The statements that transactions of entities are put together from.
namespace tobit::entity {

/// Values of the column `restart_history.outcome`.
namespace restart_outcome {
inline constexpr std::string_view restarted = "restarted";
inline constexpr std::string_view quarantined = "quarantined";
inline constexpr std::string_view revived = "revived";
} // namespace restart_outcome

/// An empty transaction that only the owner of the shard can commit; others fail with `fenced`.
storage::unit_of_work fenced_unit(const fence& right);

/// Moves the entity's journal position. The transaction fails with `unavailable` if an earlier one of this entity was
/// lost, so that nothing that builds on a lost decision is ever stored.
storage::statement advance_journal(const entity_ref& ref, std::int64_t from, std::int64_t to);
/// The same check where nothing is journaled.
storage::statement check_journal(const entity_ref& ref, std::int64_t at);
/// Moves the position, stores the state at the new one and removes the journal that it makes superfluous.
void advance_with_snapshot(storage::unit_of_work& unit, const entity_ref& ref, std::int64_t from, std::int64_t to,
                           std::string state);
/// The state alone, for a statement that has moved the position.
storage::statement snapshot_row(const entity_ref& ref, std::string state);
/// Removes the journal up to a stored snapshot.
storage::statement trim_journal(const entity_ref& ref, std::int64_t up_to);
/// One event at its position.
storage::statement journal_row(const entity_ref& ref, std::int64_t seq, const message& event, utc_time now);

/// When the entity is to be woken; nothing: not by time.
storage::statement wake_row(const entity_ref& ref, std::optional<utc_time> at);

/// The entity has taken the report about its effect.
storage::statement close_report(const std::string& effect_id);

/// The outbox row of an effect; it is due after `grace`, before that it belongs to whoever wrote it.
storage::statement outbox_row(const outgoing_effect& effect, shard_id shard, std::chrono::microseconds grace);
/// The effects of one decision, ready to go: ids derived from the decision's, contexts below the decision's span.
std::vector<outgoing_effect> outgoing(const entity_ref& source, std::vector<effect> effects, const moment& at);

/// What an audit row says.
struct audit_record {
  const entity_ref& ref;
  std::string_view action; ///< create, update, rollback, enable, disable, delete, restart, …
  const call_context& context;
  utc_time now;
  json old_values, new_values; ///< null where there are none; secrets are left out of the row
  json metadata = json::object();
};
storage::statement audit_row(const audit_record& record);

/// Why an entity crashed.
struct crash_record {
  std::string error;
  std::string message_name; ///< empty: while it was loaded
  std::string message_body; ///< bounded
  std::string trace;
};
storage::statement restart_row(const entity_ref& ref, utc_time now, std::string_view outcome,
                               const crash_record& crash);

/// `text` cut to at most `bytes` and made storable: valid UTF-8 without NUL.
std::string storable(std::string_view text, std::size_t bytes);

} // namespace tobit::entity
