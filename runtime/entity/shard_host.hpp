#pragma once

#include "runtime/entity/entity_deps.hpp"
#include "runtime/entity/placement.hpp"
#include "runtime/entity/resident_table.hpp"

#include <caf/actor.hpp>
#include <caf/behavior.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/stateful_actor.hpp>

#include <deque>
#include <unordered_map>

namespace tobit::entity {

/// Keeps the entities of one shard: spawns their actors when messages wait, lets idle ones go, clears up after those
/// that died.
///
/// One actor per shard of this node, from the moment the node takes the shard to the moment it gives it up or loses it.
/// Messages do not pass through it: the resident table hands them over. It never blocks and stores nothing.
class shard_host {
public:
  static inline const char* name = "shard_host";
  explicit shard_host(caf::event_based_actor* self) : self_(self) {}

  void start(fence right, entity_deps_ptr deps, std::shared_ptr<resident_table> table);

  /// Messages wait for this entity and it has no actor.
  void wake(const resident_ptr& who);
  /// The actor is done with loading.
  void activated(caf::actor_id id);
  /// The actor shall leave memory; messages from now on wait for the next one.
  void release(caf::actor_id id);
  /// Another node owns the shard: everything stops, nothing is restarted.
  void fenced();
  /// Lets all entities finish what is under way and store their state, then lets go of `until_stopped` and ends.
  void stop(std::shared_ptr<void> until_stopped);

  /// Ends every entity without waiting for what it has under way. After a stop that took too long.
  void abandon();

  void down(const caf::down_msg& message);

private:
  struct child {
    resident_ptr who;
    caf::actor actor;
    bool loading = true;
  };
  void activate(const resident_ptr& who);
  void finish_loading(child& one);
  void let_go(child& one, bool at_once);
  void sweep();
  void arm_sweep();
  void end_if_empty();

  caf::event_based_actor* self_;
  fence right_;
  entity_deps_ptr deps_;
  std::shared_ptr<resident_table> table_;
  std::unordered_map<caf::actor_id, child> children_;
  std::deque<resident_ptr> to_wake_;
  std::size_t loading_ = 0;
  bool sweep_armed_ = false, stopping_ = false;
  std::vector<std::shared_ptr<void>> until_stopped_;
};

caf::behavior shard_host_actor(caf::stateful_actor<shard_host>* self, const fence& right, const entity_deps_ptr& deps,
                               const std::shared_ptr<resident_table>& table);

} // namespace tobit::entity
