#include "runtime/entity/entity_machine.hpp"
#include "runtime/entity/restart_policy.hpp"

#include <spdlog/spdlog.h>

#include <stdexcept>

/// How an entity comes into memory, what becomes of it when it crashes, and how it leaves.
namespace tobit::entity {

void entity_machine::start() { load(); }

void entity_machine::load() {
  mode_ = mode::loading;
  show_status(mode_);
  logic_.reset();
  quiet_past_ = false;
  const auto current = ++generation_;
  read(entity_query(ref_), [current](entity_machine& self, const result<storage::rows>& rows) {
    if (self.generation_ == current && self.mode_ == mode::loading) self.row_read(rows);
  });
}

void entity_machine::row_read(const result<storage::rows>& rows) {
  if (!rows) return cannot_load(rows.error());
  auto stored = read_entity(*rows);
  if (!stored) {
    head_ = {};
    mode_ = mode::vacant;
    return loaded();
  }
  if (stored->journal_seq == stored->snapshot_seq) return restore(std::move(*stored));
  const auto current = generation_;
  const auto after = stored->snapshot_seq;
  read(journal_query(ref_, after),
       [current, found = std::move(*stored)](entity_machine& self, const result<storage::rows>& events) {
         if (self.generation_ != current || self.mode_ != mode::loading) return;
         if (!events) return self.cannot_load(events.error());
         auto complete = found;
         if (auto journal = read_journal(*events))
           complete.events = std::move(*journal);
         else
           complete.damage = journal.error().text();
         self.restore(std::move(complete));
       });
}

void entity_machine::restore(stored_entity stored) {
  definition_ = to_text(stored.definition);
  events_since_snapshot_ = stored.journal_seq - stored.snapshot_seq;
  head_ = std::move(stored);
  if (head_.deleted_at || head_.quarantined_at) {
    mode_ = head_.deleted_at ? mode::deleted : mode::quarantined;
    return loaded();
  }
  try {
    logic_ = stored_logic(head_.version, head_.definition);
  } catch (const std::exception& e) {
    return crash(e.what(), nullptr);
  } catch (...) {
    return crash("an exception of unknown type", nullptr);
  }
  head_.definition = nullptr;
  snapshot_bytes_ = head_.snapshot.size();
  journal_bytes_ = 0;
  head_.snapshot.clear();
  head_.events.clear();
  mode_ = mode::live;
  try {
    follow_wake_after_loading();
  } catch (const std::exception& e) {
    return crash(std::string("wake_at: ") + e.what(), nullptr);
  }
  loaded();
}

std::unique_ptr<entity_logic> entity_machine::stored_logic(std::int64_t version, const json& definition) {
  if (!head_.damage.empty()) throw std::runtime_error("the journal cannot be read: " + head_.damage);
  if (definition.is_null()) throw std::runtime_error("the stored definition is damaged");
  auto logic = kind_->instantiate(ref_, version, definition);
  if (!logic) throw std::runtime_error("the version cannot be instantiated: " + std::string(logic.error().text()));
  if (auto restored = (*logic)->restore(head_.snapshot); !restored)
    throw std::runtime_error("the state cannot be restored: " + std::string(restored.error().text()));
  for (const auto& event : head_.events) (*logic)->apply(event);
  return std::move(*logic);
}

void entity_machine::loaded() {
  show_status(mode_);
  if (!activation_reported_) {
    activation_reported_ = true;
    host_.activated();
  }
  auto askers = std::move(restart_askers_);
  restart_askers_.clear();
  for (const auto& asked : askers) answer(asked, message::of(entity_done{}));
  drain();
}

void entity_machine::cannot_load(const error& why) {
  // The store cannot be read: keeping the messages would only pile them up. The next message tries again.
  refuse_waiting(why);
  if (!activation_reported_) {
    activation_reported_ = true;
    host_.activated();
  }
  mode_ = mode::gone;
  host_.left();
}

void entity_machine::drain() {
  while (ready() && !waiting_.empty()) {
    auto next = std::move(waiting_.front());
    waiting_.pop_front();
    handle(next);
  }
  // Asking for names that do not exist must not fill the memory with actors.
  if ((mode_ == mode::vacant || mode_ == mode::deleted) && in_flight_.empty() && !leaving_) host_.wants_to_leave();
  try_leave();
}

void entity_machine::crash(const std::string& what, const delivery_ptr& during) {
  crash_record record;
  record.error = storable(what, 1'000);
  if (during) {
    record.message_name = during->request().name();
    record.message_body = storable(to_text(during->request().encode()), deps_->options.crash_body_bytes_max);
    record.trace = to_string(during->context().trace);
  }
  spdlog::warn("entity_crashed entity={} message={} trace={} error=\"{}\"", to_string(ref_), record.message_name,
               record.trace, record.error);
  crash_ = std::move(record);
  logic_.reset();
  mode_ = mode::settling;
  show_status(mode_);
  auto askers = std::move(restart_askers_);
  restart_askers_.clear();
  const auto reason = error{error_code::internal_server_error,
                            ref_.kind + " " + ref_.key + " crashed and is restarted; its page shows the cause."};
  for (const auto& asked : askers) answer(asked, fail(reason));
  if (during) answer(during, fail(reason));
  settle();
}

void entity_machine::settle() {
  if (mode_ != mode::settling || !in_flight_.empty()) return;
  if (crash_)
    record_crash();
  else
    load();
}

void entity_machine::record_crash() {
  mode_ = mode::recording;
  const auto& options = deps_->options.restart;
  const auto current = ++generation_;
  read(restarts_query(ref_, deps_->time->now() - options.window, options.restarts_max + 1),
       [current](entity_machine& self, const result<storage::rows>& rows) {
         if (self.generation_ != current || self.mode_ != mode::recording) return;
         self.crash_judged(1 + (rows ? crashes_since_revival(*rows) : 0));
       });
}

void entity_machine::crash_judged(std::size_t crashes) {
  const auto verdict = judge_crash(crashes, deps_->options.restart, deps_->random());
  auto unit = unit_of_crash(ref_, right_, *crash_, verdict.quarantine, deps_->time->now());
  if (deps_->figures)
    deps_->figures->count(
        verdict.quarantine ? telemetry::metric::entity_quarantined : telemetry::metric::entity_restarts, {ref_.kind});
  const auto current = generation_;
  ++reads_open_;
  deps_->db->write(std::move(unit), [send = inbox_.remote(), current, verdict](result<storage::write_outcome> done) {
    const bool fenced = !done && done.error().code == error_code::fenced;
    const bool stored = done.has_value();
    send([current, verdict, fenced, stored](entity_machine& self) {
      --self.reads_open_;
      if (self.generation_ != current || self.mode_ != mode::recording) return self.try_leave();
      if (fenced) return self.shard_lost();
      self.crash_.reset();
      self.publish_status(verdict.quarantine ? "quarantined" : "restarting");
      if (verdict.quarantine && stored) return self.load();
      self.back_off(verdict.quarantine ? self.deps_->options.restart.pause_max : verdict.pause);
    });
  });
}

void entity_machine::back_off(std::chrono::microseconds pause) {
  mode_ = mode::backing_off;
  show_status(mode_);
  const auto current = ++generation_;
  inbox_.after(pause, [current](entity_machine& self) {
    if (self.generation_ == current && self.mode_ == mode::backing_off) self.load();
  });
  if (!activation_reported_) { // a pause must not keep others of the shard from loading
    activation_reported_ = true;
    host_.activated();
  }
  try_leave();
}

void entity_machine::leave(bool at_once) {
  leaving_ = true;
  if (at_once) {
    leaving_at_once_ = true;
    refuse_waiting(error{deps_->shard_gone});
  }
  try_leave();
}

void entity_machine::try_leave() {
  if (!leaving_ || !in_flight_.empty() || !waiting_.empty() || reads_open_ > 0) return;
  if (mode_ != mode::gone && mode_ != mode::departing && (ready() || mode_ == mode::backing_off)) depart();
}

void entity_machine::depart() {
  const auto finished = [](entity_machine& self) {
    if (self.mode_ == mode::gone) return;
    self.mode_ = mode::gone;
    self.show_status(self.mode_);
    self.host_.left();
  };
  if (mode_ != mode::live || events_since_snapshot_ == 0) return finished(*this);
  mode_ = mode::departing;
  auto unit = fenced_unit(right_);
  try {
    advance_with_snapshot(unit, ref_, head_.journal_seq, head_.journal_seq, logic_->snapshot());
  } catch (const std::exception& e) {
    spdlog::warn("entity_snapshot_failed entity={} error=\"{}\"", to_string(ref_), e.what());
    return finished(*this); // the journal holds everything
  }
  deps_->db->write(std::move(unit),
                   [send = inbox_.remote(), finished](const result<storage::write_outcome>&) { send(finished); });
}

void entity_machine::shard_lost() {
  const error why{error_code::fenced};
  auto in_flight = std::move(in_flight_);
  in_flight_.clear();
  mode_ = mode::gone;
  for (auto& pending : in_flight)
    for (auto& held : pending.answers) answer(held.to, fail(why));
  refuse_waiting(why);
  logic_.reset();
  host_.fenced();
  host_.left();
}

} // namespace tobit::entity
