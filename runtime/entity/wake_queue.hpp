#pragma once

#include "runtime/entity/entity_deps.hpp"
#include "runtime/entity/entity_gateway.hpp"
#include "runtime/entity/inbox.hpp"
#include "runtime/entity/outbox_dispatcher.hpp"
#include "runtime/entity/wake_schedule.hpp"

#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>

namespace tobit::entity {

/// Wakes the entities of this node at the times in their rows, whether they are in memory or not.
///
/// One per node, inside one actor; lives as long as the entity runtime; never blocks. It remembers only the nearest
/// times (see `wake_schedule`) and reads further rows page by page: a paged query rather than a heap of everything,
/// because a million sleeping entities would cost a hundred megabytes and a long start, while an index on the column
/// finds the next page in a millisecond. A row keeps its time until the entity has decided about the wake, so whatever
/// is lost with this object, or with a wake on its way, is found again: at the next start, or by the regular look at
/// what is due. Each turn sends a bounded number of wakes; further ones follow as answers come.
class wake_queue {
public:
  wake_queue(entity_deps_ptr deps, std::shared_ptr<entity_gateway> entities, std::string owner, fence_lookup rights,
             inbox<wake_queue>& in);

  void start();
  /// The row of this entity says this time now (committed).
  void note(const entity_ref& ref, utc_time at);
  /// Looks at the rows, e.g. because a shard came.
  void read();
  /// Wakes nobody any more; `until_stopped` is let go of with this object.
  void stop(std::shared_ptr<void> until_stopped);

private:
  void was_read(const result<storage::rows>& rows, std::size_t limit);
  void fire();
  void send(const entity_ref& ref);
  void answered(const entity_ref& ref, std::optional<error_code> problem);
  void try_later(const entity_ref& ref);
  void arm();
  void look_again();

  entity_deps_ptr deps_;
  std::shared_ptr<entity_gateway> entities_;
  std::string owner_;
  fence_lookup rights_;
  inbox<wake_queue>& inbox_;
  wake_schedule schedule_;
  std::unordered_set<entity_ref> under_way_;             ///< wakes sent and not answered
  std::unordered_map<entity_ref, std::size_t> failures_; ///< in a row, of those that will be tried again
  std::uint64_t armed_ = 0;                              ///< tells the present timer from earlier ones
  std::optional<utc_time> armed_for_;
  bool reading_ = false, read_again_ = false, stopped_ = false;
  std::shared_ptr<void> until_stopped_;
};

/// Entities of the owner's shards with a wake time, the earliest first.
storage::statement wakes_query(const std::string& owner, std::size_t limit);

} // namespace tobit::entity
