#pragma once

#include "runtime/entity/definition_change.hpp"
#include "runtime/entity/delivery.hpp"
#include "runtime/entity/entity_deps.hpp"
#include "runtime/entity/inbox.hpp"
#include "runtime/entity/wake_policy.hpp"
#include "schemas/entity/entity_protocol.hpp"

#include <deque>

namespace tobit::entity {

/// What an entity tells the shard host that keeps it.
class entity_host {
public:
  virtual ~entity_host() = default;
  virtual void activated() = 0;      ///< loading is over; called once
  virtual void wants_to_leave() = 0; ///< send no more messages, then call `leave`
  virtual void left() = 0;           ///< the machine is finished; called once, last
  virtual void fenced() = 0;         ///< somebody else owns the shard
};

/// Runs one entity of any kind: loads it, lets it decide, commits, answers; crashes, restarts and quarantines it;
/// changes its definition while it works.
///
/// Lives as long as its entity is in memory, inside one actor, and is used by that actor alone. It sees its own rows
/// and what `entity_deps` shares. It never blocks: storage answers come back through the inbox. After a restart of the
/// process nothing of it is left but the rows, and those are enough.
///
/// Decisions are applied to memory at once and committed in order; further messages are decided on top of them, and no
/// answer leaves before everything that it may have seen is durable. If a commit fails, all that was built on it fails
/// with it (each transaction checks the journal position), and the entity is loaded again.
class entity_machine {
public:
  entity_machine(entity_ref ref, fence right, entity_deps_ptr deps, std::shared_ptr<entity_figures> figures,
                 inbox<entity_machine>& in, entity_host& host);

  void start();
  void deliver(const delivery_ptr& asked);
  /// Finishes what is under way, stores a snapshot if the journal went beyond the last one, and says `left`.
  /// `at_once`: what only waits is answered `unavailable`.
  void leave(bool at_once);

private:
  enum class mode {
    loading,     ///< rows are being read
    vacant,      ///< no such entity
    deleted,     ///< marked deleted
    live,        ///< has its logic
    quarantined, ///< has only its stored state
    settling,    ///< waits for commits that are under way, then loads again
    recording,   ///< a crash is being written down
    backing_off, ///< waits for the end of the pause
    departing,   ///< the last snapshot is being written
    gone
  };
  struct held_answer {
    delivery_ptr to;
    result<message> reply;
  };
  struct interest_notice {
    std::int64_t version = 0;
    std::vector<interest> wanted;
  };
  struct pending_commit {
    std::uint64_t number = 0;
    std::vector<held_answer> answers;
    std::vector<outgoing_effect> effects;
    std::vector<publication> publications;
    std::optional<interest_notice> notice;
    std::optional<utc_time> wake_later; ///< the wake queue is told
    bool leave_after = false;
  };

  // entity_machine.cpp: messages, decisions, commits, answers
  bool ready() const noexcept;
  bool exists() const noexcept { return mode_ == mode::live || mode_ == mode::quarantined; }
  void handle(const delivery_ptr& asked);
  void decide(const delivery_ptr& asked);
  void commit_decision(const delivery_ptr& asked, decision wanted, const moment& at);
  bool snapshot_pays(std::int64_t further) const noexcept;
  void commit(storage::unit_of_work unit, pending_commit pending);
  void committed(std::uint64_t number, const std::optional<error>& problem);
  void finish(pending_commit& done);
  void lose(pending_commit& failed, const error& problem);
  void hold(const delivery_ptr& to, result<message> reply);
  void answer(const delivery_ptr& to, result<message> reply);
  void refuse_waiting(const error& why);
  void arm_expiry();
  void expire();

  // entity_timer.cpp: being woken
  void wake(const delivery_ptr& asked);
  void follow_wake(storage::unit_of_work& unit, pending_commit& pending, utc_time now, bool woken);
  void follow_wake_after_loading();
  std::optional<utc_time> wake_to_note(utc_time now, bool woken) const;
  wake_step wake_wanted(utc_time now) const;
  json timers() const;

  // entity_restart.cpp: loading, crashing, leaving
  void load();
  void row_read(const result<storage::rows>& rows);
  void restore(stored_entity stored);
  std::unique_ptr<entity_logic> stored_logic(std::int64_t version, const json& definition); ///< throws
  void loaded();
  void cannot_load(const error& why);
  void drain();
  void crash(const std::string& what, const delivery_ptr& during);
  void settle();
  void record_crash();
  void crash_judged(std::size_t crashes);
  void back_off(std::chrono::microseconds pause);
  void try_leave();
  void depart();
  void shard_lost();

  // entity_lifecycle.cpp: messages that every entity understands
  bool handle_lifecycle(const delivery_ptr& asked);
  void define(const delivery_ptr& asked, const define_entity& wish);
  void roll_back(const delivery_ptr& asked, const rollback_entity& wish);
  void put_live(const delivery_ptr& asked, const json& body, std::string change, const std::string& summary,
                bool answers = true, bool unless_same = false);
  bool introduce(const delivery_ptr& asked);
  void say(decision said, const moment& at, storage::unit_of_work& unit, pending_commit& pending);
  result<std::unique_ptr<entity_logic>> successor(std::int64_t version, const json& definition);
  void remove(const delivery_ptr& asked, const delete_entity& wish);
  void control(const delivery_ptr& asked, const control_entity& wish);
  void load_afresh(const delivery_ptr& asked, storage::unit_of_work unit);
  void reload(const delivery_ptr& asked, storage::unit_of_work unit);
  void inspect(const delivery_ptr& asked);
  json view() const;
  result<void> check_version(const std::optional<std::int64_t>& expected) const;
  void publish_status(std::string_view status);
  void show_status(mode now);

  template <class Continue>
  void read(storage::statement query, Continue then) {
    ++reads_open_;
    deps_->db->read(std::move(query), [send = inbox_.remote(), then = std::move(then)](result<storage::rows> rows) {
      send([then, rows = std::move(rows)](entity_machine& self) {
        --self.reads_open_;
        then(self, rows);
        self.try_leave();
      });
    });
  }

  const entity_ref ref_;
  const fence right_;
  const entity_deps_ptr deps_;
  const std::shared_ptr<entity_figures> figures_;
  inbox<entity_machine>& inbox_;
  entity_host& host_;
  const entity_kind* const kind_;

  mode mode_ = mode::loading;
  stored_entity head_;      ///< the row; its definition and events are only kept in quarantine
  bool quiet_past_ = false; ///< nothing is in the restart history; whatever is added there leads to `load`
  std::string definition_;
  std::unique_ptr<entity_logic> logic_;
  std::int64_t events_since_snapshot_ = 0;
  std::size_t snapshot_bytes_ = 0, journal_bytes_ = 0; ///< of the last snapshot, and of the journal since

  std::deque<delivery_ptr> waiting_;
  std::deque<pending_commit> in_flight_;
  std::vector<delivery_ptr> restart_askers_; ///< answered once the entity is loaded again
  std::uint64_t commits_ = 0;
  std::uint64_t generation_ = 0; ///< tells the present loading or pause from earlier ones
  std::size_t reads_open_ = 0;
  std::optional<crash_record> crash_;
  bool activation_reported_ = false;
  bool leaving_ = false, leaving_at_once_ = false;
  bool expiry_armed_ = false;
};

} // namespace tobit::entity
