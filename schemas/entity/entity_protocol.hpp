#pragma once

#include "schemas/ids.hpp"
#include "schemas/message.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// Messages that every entity understands, whatever its kind. The runtime answers them; a kind never sees them.
/// All are commands or queries to one `entity_ref`; the call context travels beside the message.
namespace tobit::entity {

/// Creates the entity, or puts a new version of its definition live. The kind compiles the body first; if that fails
/// nothing changes. Answer: `definition_live`, after the new version is live.
/// Errors: validation_error (with pointer), conflict (`expected_version` is not the current one), not_found (rollback).
struct define_entity {
  static constexpr std::string_view wire_name = "tobit.entity.define.v1";
  json body;                     ///< the definition as the user wrote it; the kind's JSON Schema says its shape
  std::string change = "update"; ///< create | update | rollback | enable | disable
  std::optional<std::int64_t> expected_version; ///< refuse unless this is the current version; 0: must not exist yet
  std::string summary;                          ///< what the user says about the change, at most 500 bytes
  /// Writes no new version if the compiled definition is what is live already: then the answer names the version
  /// that is.
  bool unless_same = false;
};
struct definition_live {
  static constexpr std::string_view wire_name = "tobit.entity.definition_live.v1";
  std::int64_t version = 0;
  json definition;        ///< as stored: defaults filled in, plus version, timestamps, author
  bool unchanged = false; ///< nothing was written, see `define_entity::unless_same`
};

/// Puts the content of an older version live as a new version. Answer: `definition_live`.
struct rollback_entity {
  static constexpr std::string_view wire_name = "tobit.entity.rollback.v1";
  std::int64_t version = 0; ///< 0: the one before the current
  std::string summary;
};

/// Soft delete: the entity stops acting and is listed only where deleted ones are asked for. Answer: `entity_done`.
struct delete_entity {
  static constexpr std::string_view wire_name = "tobit.entity.delete.v1";
  std::optional<std::int64_t> expected_version;
};

/// Operator actions on the running actor. Answer: `entity_done`.
struct control_entity {
  static constexpr std::string_view wire_name = "tobit.entity.control.v1";
  std::string action; ///< restart | stop | quarantine | revive | reload
  std::string reason; ///< at most 500 bytes, goes to the audit log
};
struct entity_done {
  static constexpr std::string_view wire_name = "tobit.entity.done.v1";
};

/// Looks into the entity without changing it. Answer: `entity_view`.
struct inspect_entity {
  static constexpr std::string_view wire_name = "tobit.entity.inspect.v1";
};
struct entity_view {
  static constexpr std::string_view wire_name = "tobit.entity.view.v1";
  json view; ///< kind, tenant, key, status, version, state, mailbox, counts, latency, timers, restarts, last_error
};

/// The time that the entity's logic asked for (`entity_logic::wake_at`) has come. Sent by the runtime only, to the
/// kind.
struct wake_entity {
  static constexpr std::string_view wire_name = "tobit.entity.wake.v1";
};

/// An effect that asked for a report is settled. Sent by the runtime only, to the kind; at least once.
struct effect_settled {
  static constexpr std::string_view wire_name = "tobit.entity.effect_settled.v1";
  std::string effect_id;
  std::string type, correlation; ///< as the decision gave them
  bool done = false;             ///< false: failed for good
  std::string error_name;        ///< of the error table; empty if done
  std::string error;
  json answer; ///< what the receiver said, bounded
  std::int64_t attempts = 1;
};

/// The body of an effect of the type "message": say this to another entity of the same tenant. At least once: whoever
/// receives it tells a repetition by what stands in the message itself. Settled by the receiver's answer; its errors
/// `overloaded`, `unavailable`, `deadline_exceeded` and those of storage are tried again, others are final.
struct message_effect {
  static constexpr std::string_view effect_type = "message";
  std::string to_kind, to_key;
  std::string name; ///< wire name of the message
  json body;
};

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(effect_settled, effect_id, type, correlation, done, error_name, error,
                                                answer, attempts)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(message_effect, to_kind, to_key, name, body)
inline void to_json(json& out, const wake_entity&) { out = json::object(); }
inline void from_json(const json&, wake_entity&) {}
void to_json(json& out, const definition_live& m);
void from_json(const json& in, definition_live& m);
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(rollback_entity, version, summary)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(control_entity, action, reason)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(entity_view, view)
void to_json(json& out, const define_entity& m);
void from_json(const json& in, define_entity& m);
void to_json(json& out, const delete_entity& m);
void from_json(const json& in, delete_entity& m);
inline void to_json(json& out, const entity_done&) { out = json::object(); }
inline void from_json(const json&, entity_done&) {}
inline void to_json(json& out, const inspect_entity&) { out = json::object(); }
inline void from_json(const json&, inspect_entity&) {}

void register_entity_messages();

} // namespace tobit::entity
