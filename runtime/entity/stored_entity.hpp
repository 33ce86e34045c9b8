#pragma once

#include "runtime/storage/statement.hpp"
#include "schemas/ids.hpp"
#include "schemas/json.hpp"
#include "schemas/message.hpp"
#include "schemas/time.hpp"

#include <optional>

/// Reading one entity's rows back into memory.
namespace tobit::entity {

/// The row of an entity with its live definition.
struct stored_entity {
  std::int64_t version = 0;
  bool enabled = true;
  std::string name, label;
  utc_time created_at, updated_at;
  std::string created_by;
  std::optional<utc_time> deleted_at, quarantined_at;
  std::optional<utc_time> wake_at; ///< never later than the logic wants to be woken
  std::string snapshot;
  std::int64_t snapshot_seq = 0, journal_seq = 0;
  std::int64_t restarts = 0;
  std::string last_error;
  json definition;
  std::vector<message> events; ///< of the journal, beyond the snapshot; see `journal_query`
  std::string damage;          ///< why the journal cannot be read; empty if it can
};

storage::statement entity_query(const entity_ref& ref);
/// Nothing if there is no such entity. A definition that is not JSON (any more) is null.
std::optional<stored_entity> read_entity(const storage::rows& rows);

/// The events beyond `after_seq`, in order.
storage::statement journal_query(const entity_ref& ref, std::int64_t after_seq);
/// Errors: those of `decode_message`: a newer release wrote it.
result<std::vector<message>> read_journal(const storage::rows& rows);

/// The body of one version; version 0 means the latest before `current`.
storage::statement definition_query(const entity_ref& ref, std::int64_t version, std::int64_t current);

/// What happened to the entity lately: at, outcome, error, message name, message body, trace id; latest first.
storage::statement restarts_query(const entity_ref& ref, utc_time since, std::size_t limit);
/// The rows of `restarts_query` for people.
json restarts_view(const storage::rows& rows);
/// How many rows are crashes that happened after the latest revival.
std::size_t crashes_since_revival(const storage::rows& rows);

} // namespace tobit::entity
