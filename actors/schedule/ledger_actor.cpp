#include "actors/schedule/ledger_actor.hpp"

#include "actors/schedule/tick_store.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <exception>
#include <iterator>

namespace tobit::schedule {

namespace {

using namespace std::chrono_literals;
using std::chrono::microseconds;
using telemetry::metric;

/// Units of the ledger keep their order, so that a tick's settlement never overtakes its claim.
constexpr std::uint64_t write_lane = 0x7469636b;
constexpr std::int64_t open_ticks_max = 100'000;
constexpr auto purge_pause = 10min;
constexpr std::int64_t purge_count = 500;

std::shared_ptr<error> failure_of(const result<storage::write_outcome>& outcome) {
  return outcome ? nullptr : std::make_shared<error>(outcome.error());
}

} // namespace

ledger_actor::ledger_actor(caf::actor_config& config, tick_ledger_deps deps, tick_ledger_options options,
                           std::shared_ptr<ledger_gauges> gauges)
    : caf::event_based_actor(config)
    , deps_(std::move(deps))
    , options_(options)
    , gauges_(std::move(gauges))
    , state_(options.limits) {
  set_default_handler(caf::drop);
  set_exception_handler([](caf::scheduled_actor*, std::exception_ptr& why) -> caf::error {
    try {
      std::rethrow_exception(why);
    } catch (const std::exception& e) {
      return caf::make_error(caf::sec::runtime_error, std::string(e.what()));
    }
  });
}

caf::behavior ledger_actor::make_behavior() {
  return {
      [this](const begin_note&) { begin(); },
      [this](const page_note& note) { take_page(*note.rows); },
      [this](const open_ticks_note& note) { take_open_ticks(*note.rows); },
      [this](const interest_note& note) { take_interest(note); },
      [this](const claims_note& note) { claims_written(note); },
      [this](const answer_note& note) { take_answer(note); },
      [this](const rows_note& note) { rows_written(note); },
      [this](const wake_note& note) {
        if (note.generation != generation_) return;
        armed_for_ = steady_time::max();
        step();
      },
      [this](const stop_note& note) { begin_stop(note); },
  };
}

// -- start ----------------------------------------------------------------------------------------------------------

void ledger_actor::begin() {
  if (phase_ != phase::idle) return;
  phase_ = phase::loading;
  now_ = deps_.time.steady_now();
  state_.observe(deps_.time.now(), now_);
  changes_.push_back(mark_orphans(deps_.time.now()));
  read_page();
}

void ledger_actor::read_page() {
  deps_.database.read(select_wanted(page_end_, static_cast<std::int64_t>(options_.page)),
                      [self = self_handle()](result<storage::rows> page) {
                        caf::anon_send(self, page_note{std::make_shared<result<storage::rows>>(std::move(page))});
                      });
}

void ledger_actor::take_page(const result<storage::rows>& page) {
  if (phase_ != phase::loading) return;
  if (!page) {
    note_failure(page.error());
    retry_load_ = true;
    return arm();
  }
  for (const auto& row : page->values) take_wanted(row);
  if (page->size() < options_.page) return read_open_ticks();
  page_end_ = read_wanted(page->values.back()).row.ref;
  read_page();
}

void ledger_actor::take_wanted(const std::vector<storage::value>& row) {
  const auto wanted = read_wanted(row);
  const auto compile = [](const std::string& text) -> result<schedule_spec> {
    const auto parsed = parse_json(text);
    if (!parsed) return fail(parsed.error());
    try {
      return compile_schedule(parsed->get<entity::schedule_interest>());
    } catch (const json::exception&) {
      return fail(error_code::validation_error, "The stored schedule is malformed.");
    }
  };
  const auto spec = compile(wanted.spec);
  if (!spec) {
    spdlog::error("schedule.unusable entity={} reason=\"{}\"", to_string(wanted.row.ref), spec.error().text());
    return;
  }
  const bool same = wanted.stored_spec && (*wanted.stored_spec == wanted.spec || compile(*wanted.stored_spec) == spec);
  if (same) return state_.load(wanted.row, wanted.version, *spec);
  if (auto fresh = state_.define(wanted.row.ref, wanted.version, *spec))
    changes_.push_back(store_schedule(*fresh, wanted.spec));
}

void ledger_actor::read_open_ticks() {
  deps_.database.read(select_open_ticks(open_ticks_max), [self = self_handle()](result<storage::rows> found) {
    caf::anon_send(self, open_ticks_note{std::make_shared<result<storage::rows>>(std::move(found))});
  });
}

void ledger_actor::take_open_ticks(const result<storage::rows>& found) {
  if (phase_ != phase::loading) return;
  if (!found) {
    note_failure(found.error());
    retry_load_ = true;
    return arm();
  }
  for (const auto& row : found->values) {
    const auto tick = read_open_tick(row);
    state_.reopen(tick.ref, tick.place, tick.due, tick.missed);
  }
  phase_ = phase::running;
  for (const auto& note : early_) apply_interest(note);
  early_.clear();
  early_.shrink_to_fit();
  gauges_->loaded = true;
  next_purge_ = now_ + purge_pause;
  spdlog::info("schedule.loaded schedules={} open_ticks={}", state_.schedules(), found->size());
  step();
}

// -- work -----------------------------------------------------------------------------------------------------------

void ledger_actor::step() {
  now_ = deps_.time.steady_now();
  const auto set_back = state_.observe(deps_.time.now(), now_);
  if (set_back > 1s)
    spdlog::warn("schedule.clock_set_back seconds={} cron schedules wait until the clock has caught up",
                 std::chrono::duration_cast<std::chrono::seconds>(set_back).count());
  if (phase_ == phase::loading && retry_load_ && now_ >= paused_until_) {
    retry_load_ = false;
    read_page();
  }
  write_rows();
  if (phase_ == phase::running) {
    claim_due();
    deliver();
    purge();
  }
  gauges_->schedules.store(state_.schedules(), std::memory_order_relaxed);
  gauges_->open_ticks.store(state_.open_ticks(), std::memory_order_relaxed);
  if (phase_ == phase::stopping) return finish_if_stopped();
  arm();
}

void ledger_actor::take_interest(const interest_note& note) {
  if (phase_ == phase::running) {
    now_ = deps_.time.steady_now();
    state_.observe(deps_.time.now(), now_);
    apply_interest(note);
    return step();
  }
  if (phase_ == phase::loading) early_.push_back(note); // before that, loading will find it; after, nobody needs it
}

void ledger_actor::apply_interest(const interest_note& note) {
  if (!note.spec) {
    if (state_.remove(note.ref, note.version)) changes_.push_back(mark_removed(note.ref, deps_.time.now()));
    return;
  }
  auto spec = result<schedule_spec>(schedule_spec{});
  try {
    spec = compile_schedule(note.spec->get<entity::schedule_interest>());
  } catch (const json::exception&) {
    spec = fail(error_code::validation_error, "The schedule is malformed.");
  }
  if (!spec) {
    spdlog::error("schedule.unusable entity={} reason=\"{}\"", to_string(note.ref), spec.error().text());
    return;
  }
  if (auto row = state_.define(note.ref, note.version, *spec))
    changes_.push_back(store_schedule(*row, to_text(*note.spec)));
}

void ledger_actor::claim_due() {
  if (!may_write() || (!batch_was_full_ && now_ < last_claim_ + options_.gather)) return;
  if (!changes_.empty()) return; // a new schedule's row goes before its first tick
  batch_was_full_ = false;
  while (claims_under_way_ < options_.batches_under_way_max) {
    auto claims = std::make_shared<std::vector<claim>>(state_.take_due(options_.batch_max));
    if (claims->empty()) break;
    last_claim_ = now_;
    batch_was_full_ = claims->size() == options_.batch_max;
    ++claims_under_way_;
    std::vector<storage::statement> statements;
    append_claims(statements, *claims);
    write(std::move(statements), [self = self_handle(), claims](std::shared_ptr<error> failure) {
      caf::anon_send(self, claims_note{claims, std::move(failure)});
    });
    if (!batch_was_full_) break;
  }
}

void ledger_actor::claims_written(const claims_note& note) {
  --claims_under_way_;
  if (note.failure) {
    note_failure(*note.failure);
    for (const auto& c : *note.claims) state_.give_back(c);
  } else {
    for (const auto& c : *note.claims) {
      state_.commit(c);
      if (c.decision.action != tick_action::skip) continue;
      const auto skipped = c.decision.missed + 1;
      gauges_->skipped += static_cast<std::uint64_t>(skipped);
      deps_.metrics.count(metric::ticks, {"skipped"}, static_cast<double>(skipped));
    }
  }
  step();
}

void ledger_actor::deliver() {
  while (auto next = state_.next_delivery()) {
    deps_.metrics.observe(metric::tick_delay, std::chrono::duration<double>(next->late).count());
    auto context = new_call(identity_of(next->ref.tenant), now_ + options_.answer_deadline);
    auto tick = deps_.make_tick(next->ref, next->due, next->missed);
    deps_.entities.ask(std::move(next->ref), std::move(context), std::move(tick),
                       [self = self_handle(), id = next->tick](result<message> answer) {
                         auto failure = answer ? nullptr : std::make_shared<error>(std::move(answer.error()));
                         caf::anon_send(self, answer_note{id, std::move(failure)});
                       });
  }
}

void ledger_actor::take_answer(const answer_note& note) {
  auto over = note.failure ? state_.refused(note.tick, *note.failure) : state_.answered(note.tick);
  if (over) settle(std::move(*over));
  step();
}

void ledger_actor::settle(settlement over) {
  auto& gauge = over.status == "fired"     ? gauges_->fired
                : over.status == "failed"  ? gauges_->failed
                : over.status == "overdue" ? gauges_->overdue
                                           : gauges_->skipped;
  ++gauge;
  deps_.metrics.count(metric::ticks, {over.status});
  if (over.status == "failed" || over.status == "overdue")
    spdlog::warn("schedule.{} entity={} due={} reason=\"{}\"", over.status, to_string(over.ref), to_rfc3339(over.due),
                 over.reason);
  settled_.push_back(std::move(over));
}

void ledger_actor::write_rows() {
  if (rows_under_way_ || (settled_.empty() && changes_.empty()) || now_ < paused_until_ || gauges_->fenced) return;
  const auto take = [this](auto& from, auto& into) {
    const auto count = static_cast<std::ptrdiff_t>(std::min(from.size(), 4 * options_.batch_max));
    into.assign(std::make_move_iterator(from.begin()), std::make_move_iterator(from.begin() + count));
    from.erase(from.begin(), from.begin() + count);
  };
  take(settled_, settled_under_way_);
  take(changes_, changes_under_way_);
  rows_under_way_ = true;
  auto statements = changes_under_way_;
  append_settlements(statements, settled_under_way_);
  write(std::move(statements), [self = self_handle()](std::shared_ptr<error> failure) {
    caf::anon_send(self, rows_note{std::move(failure)});
  });
}

void ledger_actor::rows_written(const rows_note& note) {
  rows_under_way_ = false;
  const auto put_back = [](auto& from, auto& into) {
    into.insert(into.begin(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
  };
  if (note.failure) {
    note_failure(*note.failure);
    put_back(settled_under_way_, settled_);
    put_back(changes_under_way_, changes_);
  }
  settled_under_way_.clear();
  changes_under_way_.clear();
  step();
}

void ledger_actor::purge() {
  if (now_ < next_purge_) return;
  next_purge_ = now_ + purge_pause;
  for (auto& statement : purge_removed(deps_.time.now() - options_.keep_removed, purge_count))
    changes_.push_back(std::move(statement));
}

void ledger_actor::arm() {
  auto wait = microseconds{options_.look_around};
  if (const auto left = state_.until_next(); left && phase_ == phase::running && claims_under_way_ == 0)
    wait = std::min(wait, std::max<microseconds>(*left, last_claim_ + options_.gather - now_));
  if (paused_until_ > now_) wait = std::max(wait, paused_until_ - now_);
  wait = std::max(wait, microseconds{100});
  if (armed_for_ <= now_ + wait) return;
  armed_for_ = now_ + wait;
  delayed_send(this, wait, wake_note{++generation_});
}

// -- stop and storage -----------------------------------------------------------------------------------------------

void ledger_actor::begin_stop(const stop_note& note) {
  phase_ = phase::stopping;
  stopped_ = note.stopped;
  step();
}

void ledger_actor::finish_if_stopped() {
  const bool hopeless = gauges_->fenced || now_ < paused_until_; // unwritten settlements are repeated ticks, no more
  if (claims_under_way_ > 0 || rows_under_way_ || (!hopeless && (!settled_.empty() || !changes_.empty()))) return;
  if (stopped_) stopped_->set_value();
  stopped_ = nullptr;
  quit();
}

bool ledger_actor::may_write() const { return now_ >= paused_until_ && !gauges_->fenced; }

void ledger_actor::write(std::vector<storage::statement> statements,
                         std::function<void(std::shared_ptr<error>)> written) {
  storage::unit_of_work unit;
  unit.lane = write_lane;
  if (deps_.fence) unit.statements.push_back(*deps_.fence);
  std::move(statements.begin(), statements.end(), std::back_inserter(unit.statements));
  deps_.database.write(std::move(unit), [written = std::move(written)](result<storage::write_outcome> outcome) {
    written(failure_of(outcome));
  });
}

void ledger_actor::note_failure(const error& why) {
  if (why.code == error_code::fenced) {
    if (!gauges_->fenced.exchange(true)) {
      spdlog::warn("schedule.fenced another node leads; no tick fires here");
      if (deps_.fenced) deps_.fenced();
    }
    return;
  }
  spdlog::warn("schedule.storage reason=\"{}\" retry_ms={}", why.text(), options_.write_pause.count());
  paused_until_ = deps_.time.steady_now() + options_.write_pause;
}

const identity_ptr& ledger_actor::identity_of(const tenant_id& tenant) {
  auto& known = identities_[tenant];
  if (!known) known = system_identity(tenant);
  return known;
}

} // namespace tobit::schedule
