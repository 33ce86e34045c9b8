#pragma once

#include "runtime/entity/delivery.hpp"

#include <caf/actor.hpp>

#include <mutex>
#include <unordered_map>
#include <vector>

namespace tobit::entity {

/// One entity that is in memory, on its way there, or on its way out. What is not atomic belongs to the table's lock.
struct resident {
  explicit resident(entity_ref who) : ref(std::move(who)), figures(std::make_shared<entity_figures>()) {}
  const entity_ref ref;
  const std::shared_ptr<entity_figures> figures;
  caf::actor actor;                  ///< null while the entity has none, or the one it has is leaving
  std::vector<delivery_ptr> waiting; ///< in order, for the actor to come
};
using resident_ptr = std::shared_ptr<resident>;

/// The entities of one shard that are in memory. Askers put messages straight into the actor's mailbox; the shard host
/// opens and closes that way. Messages from one sender stay in order in every case, also while an actor leaves and
/// another one comes. Thread-safe.
class resident_table {
public:
  enum class admission {
    unknown,     ///< not in memory and not to be brought there; not taken
    handed_over, ///< on its way, or waiting for the actor that is coming
    needs_actor, ///< waiting; the caller must tell the shard host
    overloaded,  ///< too many unanswered messages, or too many entities in memory; not taken
    closed       ///< the shard is not here (any more); not taken
  };
  struct admitted {
    admission how;
    resident_ptr who; ///< set for `needs_actor`
  };

  /// `mailbox_max`: unanswered messages per entity. `residents_max`: entities.
  resident_table(std::size_t mailbox_max, std::size_t residents_max)
      : mailbox_max_(mailbox_max), residents_max_(residents_max) {}

  /// `hash`: `stable_hash(ref)`. `activate`: whether an entity that is not in memory may be brought there.
  admitted admit(const entity_ref& ref, std::uint64_t hash, const delivery_ptr& message, bool activate);

  /// The actor may be talked to: everything that waits goes to it first.
  void open(resident& who, const caf::actor& actor);
  /// From now on messages wait for the next actor. With `only_idle_since`: only if nothing is unanswered and the last
  /// message is older. False if it was not closed.
  bool close(resident& who, std::optional<steady_time> only_idle_since = {});
  /// The entity's actor is gone. True: messages wait, it needs a new one. False: it was forgotten.
  bool gone(resident& who);

  /// Refuses all further messages and gives back those that wait.
  std::vector<delivery_ptr> shut();

  resident_ptr find(const entity_ref& ref, std::uint64_t hash) const;
  std::vector<resident_ptr> all() const;
  std::size_t size() const;

private:
  using residents = std::unordered_multimap<std::uint64_t, resident_ptr>;
  residents::const_iterator locate(const entity_ref& ref, std::uint64_t hash) const;

  mutable std::mutex guard_;
  const std::size_t mailbox_max_, residents_max_;
  residents residents_; ///< by hash of the name
  bool shut_ = false;
};

} // namespace tobit::entity
