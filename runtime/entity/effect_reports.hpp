#pragma once

#include "runtime/entity/effect_handler.hpp"
#include "runtime/entity/effect_turns.hpp"
#include "runtime/entity/entity_deps.hpp"
#include "runtime/entity/entity_gateway.hpp"
#include "runtime/entity/inbox.hpp"
#include "runtime/entity/placement.hpp"
#include "schemas/entity/entity_protocol.hpp"

#include <functional>
#include <memory>
#include <unordered_map>
#include <unordered_set>

namespace tobit::entity {

class outbox_dispatcher;

/// The right to write for a shard, as this node holds it now; nothing for a shard of another node. Thread-safe.
using fence_lookup = std::function<std::optional<fence>(const entity_ref&)>;

/// A settled effect whose entity wants to know.
struct open_report {
  entity_ref source;
  effect_settled what;
  call_context context; ///< of the effect
  int attempts = 0;     ///< made so far
};

/// Tells entities how their effects ended (`effect_settled`): at least once, and after a bounded number of attempts not
/// any more.
///
/// Part of the outbox dispatcher, used by its actor alone. A report is open from the transaction that settles the
/// effect to the one of the decision that takes it, so it survives everything in between. An entity that is gone is
/// given up at once, one in quarantine or in trouble after some attempts with growing pauses; the row then says why.
class effect_reports {
public:
  /// `on_closed` hears the correlation of each report that is taken or given up.
  effect_reports(entity_deps_ptr deps, std::shared_ptr<entity_gateway> entities, std::string owner, fence_lookup rights,
                 inbox<outbox_dispatcher>& in, std::function<void(const std::string&)> on_closed);

  /// The effect's settlement is committed.
  void tell(open_report report);
  /// Looks for reports that are due.
  void scan();
  void stop() { stopped_ = true; }

private:
  using held = std::unordered_map<std::string, open_report>::iterator;

  bool admit(open_report report);
  void pump();
  void ask(const open_report& report);
  void answered(const std::string& id, const entity_ref& source, const std::optional<error>& problem);
  void postpone(held one, const error& problem);
  void give_up(held one, const error& problem);
  void write(held one, std::optional<std::chrono::microseconds> pause, const error& problem);
  void scanned(const result<storage::rows>& rows, std::size_t limit);
  void closed(held one);
  void forget(held one);

  entity_deps_ptr deps_;
  std::shared_ptr<entity_gateway> entities_;
  std::string owner_;
  fence_lookup rights_;
  inbox<outbox_dispatcher>& inbox_;
  std::function<void(const std::string&)> on_closed_;
  std::unordered_map<std::string, open_report> held_;
  std::unordered_map<entity_ref, std::size_t> held_of_;
  effect_turns turns_;
  std::unordered_set<std::string> ended_while_scanning_; ///< the rows being read may still show these as open
  std::size_t running_ = 0;
  bool scanning_ = false, rows_left_ = false, stopped_ = false;
};

} // namespace tobit::entity
