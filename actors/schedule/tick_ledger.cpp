#include "actors/schedule/tick_ledger.hpp"

#include "actors/schedule/ledger_actor.hpp"
#include "runtime/supervision/restarting_actor.hpp"

#include <caf/all.hpp>

namespace tobit::schedule {

namespace {

class actor_backed_ledger final : public tick_ledger {
public:
  actor_backed_ledger(const tick_ledger_deps& deps, const tick_ledger_options& options)
      : gauges_(std::make_shared<ledger_gauges>())
      , actor_(supervision::spawn_restarting(
            deps.system, "schedule",
            [deps, options, gauges = gauges_] { return deps.system.spawn<ledger_actor>(deps, options, gauges); },
            caf::make_message(begin_note{}))) {}

  ~actor_backed_ledger() override { caf::anon_send_exit(actor_, caf::exit_reason::user_shutdown); }

  void start() override { caf::anon_send(actor_, supervision::begin_incarnations{}); }

  void stop(std::chrono::milliseconds patience) override {
    auto stopped = std::make_shared<std::promise<void>>();
    auto arrived = stopped->get_future();
    caf::anon_send(actor_, stop_note{std::move(stopped)});
    // A broken promise is an actor that is gone already.
    arrived.wait_for(patience);
  }

  void interest_changed(const entity_ref& ref, std::int64_t version, std::optional<json> spec) override {
    auto shared = spec ? std::make_shared<const json>(std::move(*spec)) : nullptr;
    caf::anon_send(actor_, interest_note{ref, version, std::move(shared)});
  }

  ledger_figures figures() const override {
    ledger_figures f;
    f.loaded = gauges_->loaded;
    f.fenced = gauges_->fenced;
    f.schedules = gauges_->schedules;
    f.open_ticks = gauges_->open_ticks;
    f.fired = gauges_->fired;
    f.skipped = gauges_->skipped;
    f.failed = gauges_->failed;
    f.overdue = gauges_->overdue;
    return f;
  }

private:
  const std::shared_ptr<ledger_gauges> gauges_;
  const caf::actor actor_;
};

} // namespace

std::unique_ptr<tick_ledger> make_tick_ledger(const tick_ledger_deps& deps, const tick_ledger_options& options) {
  return std::make_unique<actor_backed_ledger>(deps, options);
}

} // namespace tobit::schedule
