#pragma once

#include "runtime/entity/effect_reports.hpp"
#include "runtime/entity/effect_turns.hpp"
#include "runtime/entity/entity_deps.hpp"
#include "runtime/entity/inbox.hpp"
#include "runtime/entity/message_handler.hpp"
#include "runtime/entity/placement.hpp"
#include "runtime/entity/settle_watch.hpp"

#include <deque>
#include <map>
#include <unordered_map>
#include <unordered_set>

namespace tobit::entity {

/// The right to act for an entity now, and the right to write down what was done: the latter also while its shard
/// leaves.
struct outbox_rights {
  fence_lookup act, settle;
};

/// Carries effects out: fresh ones straight after their commit, all others (retries, those of an earlier process, those
/// that did not fit into memory) from their rows.
///
/// One per node, inside one actor; lives as long as the entity runtime. Never blocks: handlers answer later. Whatever
/// is lost with it is still a row, and a row that is due is attempted again with the same id. An effect is settled by
/// one transaction that checks that it was pending and that the shard is still ours; so it settles once, while the
/// attempt itself may happen more than once if a process dies in the middle.
class outbox_dispatcher {
public:
  /// `entities`: to whom messages and reports go. It carries out effects of type "message" by itself.
  outbox_dispatcher(entity_deps_ptr deps, std::vector<effect_handler*> handlers,
                    std::shared_ptr<entity_gateway> entities, std::string owner, outbox_rights rights,
                    inbox<outbox_dispatcher>& in);

  /// Begins to look for due rows.
  void start();
  /// Takes effects whose decision is committed.
  void take(std::vector<outgoing_effect> effects);
  /// A shard came: what its last owner wrote and did not get to is due now.
  void take_up(shard_id shard);
  /// A shard leaves: no further attempt begins, and `until_settled` is let go of when those under way are written down.
  void let_go(shard_id shard, std::shared_ptr<void> until_settled);
  /// See `effect_watch::when_settled`.
  void watch(const std::string& correlation, steady_time deadline, settle_watch::listener done);
  /// Starts no further attempt; `until_stopped` is let go of with this object.
  void stop(std::shared_ptr<void> until_stopped);
  effect_reports& reports() noexcept { return reports_; }

private:
  struct held_effect {
    outgoing_effect effect;
    effect_handler* handler = nullptr;
    utc_time attempt_at;              ///< start of the present attempt
    std::size_t lost_writes = 0;      ///< how often its outcome could not be stored
    std::optional<shard_id> acted_in; ///< set once an attempt has begun
  };
  using held = std::unordered_map<std::string, held_effect>::iterator;

  bool has_room(const entity_ref& source) const;
  bool admit(outgoing_effect effect);
  void pump();
  void write_taken_up();
  void attempt(held_effect& one);
  void attempted(const std::string& id, const entity_ref& source, const effect_outcome& outcome);
  void settle(const std::string& id, const effect_outcome& outcome);
  void settled(const std::string& id, const effect_outcome& outcome, const std::optional<error>& problem);
  void postpone(const std::string& id, const effect_outcome& outcome);
  void forget(held one);
  void note_attempt(const held_effect& one, const effect_outcome& outcome);
  void compare(const std::string& correlation);
  void scan();
  void scanned(const result<storage::rows>& rows, std::size_t limit);
  void arm_scan();
  void purge();
  void arm_expiry();

  entity_deps_ptr deps_;
  std::map<std::string, effect_handler*, std::less<>> handlers_;
  std::string owner_;
  outbox_rights rights_;
  inbox<outbox_dispatcher>& inbox_;
  message_handler messages_;
  effect_reports reports_;
  std::shared_ptr<void> until_stopped_;

  std::unordered_map<std::string, held_effect> held_;
  std::unordered_map<entity_ref, std::size_t> held_of_; ///< how many of each source
  effect_turns turns_;
  std::unordered_set<std::string> ended_while_scanning_; ///< the rows being read may still show these as due
  std::size_t running_ = 0;
  settle_watch watchers_;
  std::vector<shard_id> taken_up_; ///< shards whose effects are still to be made due
  bool taking_up_ = false;
  std::unordered_map<shard_id, std::size_t> acting_in_; ///< effects attempted and not written down, by shard
  std::unordered_map<shard_id, std::vector<std::shared_ptr<void>>> let_go_;
  bool scanning_ = false, scan_again_ = false, rows_left_ = false, expiry_armed_ = false, stopped_ = false;
};

} // namespace tobit::entity
