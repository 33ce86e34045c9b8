#pragma once

#include "actors/schedule/ledger_state.hpp"
#include "actors/schedule/tick_ledger.hpp"

#include <caf/all.hpp>

#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace tobit::schedule {

/// Figures that others read while the actor works.
struct ledger_gauges {
  std::atomic<bool> loaded{false}, fenced{false};
  std::atomic<std::uint64_t> schedules{0}, open_ticks{0}, fired{0}, skipped{0}, failed{0}, overdue{0};
};

// What the ledger's actor is told, all of it inside one process.
struct begin_note {};
struct wake_note {
  std::uint64_t generation = 0;
};
struct interest_note {
  entity_ref ref;
  std::int64_t version = 0;
  std::shared_ptr<const json> spec; ///< null: no longer wanted
};
struct page_note {
  std::shared_ptr<result<storage::rows>> rows;
};
struct open_ticks_note {
  std::shared_ptr<result<storage::rows>> rows;
};
struct claims_note {
  std::shared_ptr<std::vector<claim>> claims;
  std::shared_ptr<error> failure;
};
struct answer_note {
  std::uint64_t tick = 0;
  std::shared_ptr<error> failure;
};
/// A unit of rows that need no further action is written: settled ticks, changed schedules.
struct rows_note {
  std::shared_ptr<error> failure;
};
struct stop_note {
  std::shared_ptr<std::promise<void>> stopped;
};

/// The shell of `ledger_state`.
///
/// What: turns messages into calls of the state, and what the state wants into units of work and questions to entities.
/// Lives from the leader's start to its stop. Sees the whole cluster's schedules through the database; knows no kind.
/// Never blocks. A restart reads everything from the tables `interest`, `schedule` and `tick`.
class ledger_actor final : public caf::event_based_actor {
public:
  ledger_actor(caf::actor_config& config, tick_ledger_deps deps, tick_ledger_options options,
               std::shared_ptr<ledger_gauges> gauges);
  const char* name() const override { return "tick_ledger"; }
  void on_exit() override { gauges_->loaded = false; }

protected:
  caf::behavior make_behavior() override;

private:
  enum class phase { idle, loading, running, stopping };

  // start
  void begin();
  void read_page();
  void take_page(const result<storage::rows>& page);
  void take_wanted(const std::vector<storage::value>& row);
  void read_open_ticks();
  void take_open_ticks(const result<storage::rows>& found);

  // work
  void step();
  void take_interest(const interest_note& note);
  void apply_interest(const interest_note& note);
  void claim_due();
  void claims_written(const claims_note& note);
  void deliver();
  void take_answer(const answer_note& note);
  void write_rows();
  void rows_written(const rows_note& note);
  void purge();
  void arm();
  void begin_stop(const stop_note& note);
  void finish_if_stopped();

  void write(std::vector<storage::statement> statements, std::function<void(std::shared_ptr<error>)> written);
  void note_failure(const error& why);
  void settle(settlement over);
  bool may_write() const;
  const identity_ptr& identity_of(const tenant_id& tenant);
  caf::actor self_handle() { return caf::actor_cast<caf::actor>(this); }

  const tick_ledger_deps deps_;
  const tick_ledger_options options_;
  const std::shared_ptr<ledger_gauges> gauges_;
  ledger_state state_;
  phase phase_ = phase::idle;
  entity_ref page_end_;
  std::vector<interest_note> early_; ///< changes that came while loading

  steady_time now_{};
  steady_time last_claim_{}, paused_until_{}, armed_for_ = steady_time::max(), next_purge_{};
  std::uint64_t generation_ = 0;
  bool retry_load_ = false, batch_was_full_ = false;
  std::size_t claims_under_way_ = 0;
  bool rows_under_way_ = false;
  std::vector<settlement> settled_, settled_under_way_;
  std::vector<storage::statement> changes_, changes_under_way_;
  std::unordered_map<tenant_id, identity_ptr> identities_;
  std::shared_ptr<std::promise<void>> stopped_;
};

} // namespace tobit::schedule

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tobit::schedule::begin_note)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tobit::schedule::wake_note)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tobit::schedule::interest_note)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tobit::schedule::page_note)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tobit::schedule::open_ticks_note)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tobit::schedule::claims_note)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tobit::schedule::answer_note)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tobit::schedule::rows_note)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tobit::schedule::stop_note)
