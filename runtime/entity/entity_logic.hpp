#pragma once

#include "runtime/storage/statement.hpp"
#include "schemas/call_context.hpp"
#include "schemas/ids.hpp"
#include "schemas/message.hpp"
#include "schemas/time.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What a kind of entity is made of. No CAF, no clock, no I/O: time, ids and randomness come in as arguments.
namespace tobit::entity {

/// The circumstances of one decision.
struct moment {
  utc_time now;
  const call_context& context;  ///< of the message being decided
  std::string_view decision_id; ///< fresh UUID; the idempotency key of this decision's effects is derived from it
};

/// The id of the `index`-th effect of a decision, as handlers, receivers and reports see it.
inline std::string effect_id(std::string_view decision_id, std::size_t index) {
  return std::string(decision_id) + '-' + std::to_string(index);
}

/// An intended act on the outside world. It is stored with the decision and carried out afterwards by the handler that
/// the program registered for `type`, with retries, at least once; the receiver sees the same idempotency key each
/// time.
struct effect {
  std::string type;        ///< e.g. "webhook"
  json body;               ///< what the handler needs
  std::string correlation; ///< what waits for it, e.g. an execution id; may be empty
  bool report = false;     ///< the entity gets `effect_settled` when it is done or failed for good
  bool report_done = true; ///< false: `report` only if it failed for good
  /// Of the type "message", instead of `body`: what is said to whom. See `message_to`.
  message said = {};
  std::string to_kind = {}, to_key = {};
};

/// Something for whoever watches (event streams, console). Sent after the commit; never stored, may be lost.
struct publication {
  std::string topic; ///< e.g. "cep.events"
  json body;
  std::string event = "update"; ///< the item's name on the stream, e.g. "new_event"
};

/// What an entity wants to be done about one message. All of it commits in one transaction, or nothing does.
struct decision {
  std::vector<message> events; ///< state changes; applied at once, journaled
  std::vector<effect> effects;
  std::vector<storage::statement> statements; ///< further rows of the same transaction (logs, records)
  std::vector<publication> publications;
  message reply; ///< to the asker, after the commit; empty: nothing to say (tells)
  /// Until then the entity stays in memory although nothing comes: it holds what is stored nowhere, such as a watch.
  std::optional<utc_time> awake_until{};
};

/// One entity: a compiled definition and its state. Used by one thread at a time.
class entity_logic {
public:
  virtual ~entity_logic() = default;

  /// Decides without changing anything. A returned error goes to the asker and changes nothing; an exception is a
  /// crash: the entity is restarted from storage and the message is recorded.
  virtual result<decision> decide(const message& request, const moment& at) = 0;

  /// Changes the state by one decided (or replayed) event. Must not fail for events that `decide` produced.
  virtual void apply(const message& event) = 0;

  /// The state as bytes, and back. `restore` gets what any earlier release wrote, or empty for a new entity.
  virtual std::string snapshot() const = 0;
  virtual result<void> restore(std::string_view snapshot) = 0;

  /// Takes over the state of the version before (hot reload). The default restores from its snapshot.
  virtual result<void> take_over(const entity_logic& before) { return restore(before.snapshot()); }

  /// When the entity wants to be woken with `wake_entity`; nothing: not by time. Asked after every decision and after
  /// loading. Durable with the decision; delivered at least once, never before that time by the entity's own clock
  /// except after the answer has moved to a later time.
  virtual std::optional<utc_time> wake_at() const { return std::nullopt; }

  /// What a version says when it has been put live, and what an entity says before it is deleted (`farewell`). The
  /// state may change; effects, statements and publications commit with the definition or its deletion; events and
  /// reply are not looked at.
  virtual decision greet(const moment& at) {
    (void)at;
    return {};
  }
  virtual decision farewell(const moment& at) {
    (void)at;
    return {};
  }

  /// For the console: the state in words and numbers. No secrets.
  virtual json view() const = 0;
};

/// What a definition wants to be woken by. `spec` is read by the room that serves `source`.
struct interest {
  std::string source; ///< "schedule", "poll", "event"
  json spec;
};

/// A definition that was understood.
struct compiled_definition {
  json definition;   ///< normalised: defaults filled in; this is what is stored and shown
  std::string name;  ///< for lists and search
  std::string label; ///< one word to filter by, e.g. a rule's trigger type
  bool enabled = true;
  std::vector<interest> interests; ///< empty while disabled
};

/// Describes one kind of entity to the runtime. One instance per kind, thread-safe (only const calls).
class entity_kind {
public:
  virtual ~entity_kind() = default;
  virtual std::string_view name() const noexcept = 0;

  /// Checks and normalises what the user wrote. `before` is the current definition, or null.
  /// Errors: validation_error with the JSON pointer of the field.
  virtual result<compiled_definition> compile(const entity_ref& ref, const json& body, const json* before) const = 0;

  /// Builds the logic of a compiled (stored) definition.
  virtual result<std::unique_ptr<entity_logic>> instantiate(const entity_ref& ref, std::int64_t version,
                                                            const json& definition) const = 0;

  /// The definition of an entity that is addressed and was never defined: it is put live then. Nothing: it is not
  /// known.
  virtual std::optional<json> implicit_definition(const entity_ref& ref) const {
    (void)ref;
    return std::nullopt;
  }
};

} // namespace tobit::entity
