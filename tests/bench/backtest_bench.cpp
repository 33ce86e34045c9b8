// How many stored events a second a backtest replays: a simple filter rule over an SQLite log. Three rules: one whose
// type stands in no event (what reading costs), one that looks at every event and matches none, one that matches 1 %.
#include "actors/event/log_reader.hpp"
#include "actors/rehearsal/backtest/backtest.hpp"
#include "actors/rehearsal/backtest/backtest_report.hpp"
#include "actors/rehearsal/kinds.hpp"
#include "tests/support/scratch_database.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

using namespace tobit;

namespace {

constexpr int batches = 1'000, batch_events = 1'000;
const tenant_id tenant{"default"};
const utc_time begin = parse_rfc3339("2026-01-01T00:00:00Z").value();

struct quiet final : job::job_progress {
  void report(std::int64_t, std::int64_t, json) override {}
  bool called_off() const noexcept override { return false; }
};

void fill(storage::database& db) {
  std::uint64_t offset = 0;
  for (int b = 0; b < batches; ++b) {
    std::string text;
    for (int i = 0; i < batch_events; ++i) {
      const auto n = b * batch_events + i;
      event::event e;
      e.id = "e" + std::to_string(n);
      e.source = "/bench/host-" + std::to_string(n % 50);
      e.type = "host.metrics";
      e.time = begin + std::chrono::milliseconds{n};
      e.data = {{"cpu", n % 100}, {"memory", 61.5}, {"host", "srv-erp-" + std::to_string(n % 50)}};
      text += to_text(event::to_cloudevent(e)) + '\n';
    }
    event::logged_batch batch;
    batch.first_offset = offset;
    batch.tenant = tenant;
    batch.received_at = begin + std::chrono::seconds{b};
    batch.events = event::index_lines(text).value();
    offset = batch.end_offset();
    storage::unit_of_work unit;
    unit.statements.push_back(event::insert_batch(batch, event::compressed(text), {}));
    if (!db.write_and_wait(std::move(unit))) std::exit(1);
  }
}

void measure(const char* name, storage::database& db, const entity::kind_registry& kinds, const json& spec,
             const char* target) {
  rehearsal::backtest_order order;
  order.tenant = tenant;
  order.rule_id = "bench";
  order.version = 1;
  const json body{
      {"rule_name", "bench"}, {"trigger_type", "event"}, {"trigger_spec", spec}, {"action_spec", {{"type", "store"}}}};
  order.live = kinds.find("rule")->compile({"rule", tenant, "bench"}, body, nullptr)->definition;
  order.from = begin;
  order.to = begin + std::chrono::hours{1};
  double best = 0;
  std::size_t fired = 0;
  for (int round = 0; round < 3; ++round) {
    rehearsal::course what;
    quiet nobody;
    const auto seen = rehearsal::replay(db, kinds, order, what, nobody);
    if (!seen) {
      std::fprintf(stderr, "%s\n", std::string(seen.error().text()).c_str());
      std::exit(1);
    }
    best = std::max(best, static_cast<double>(seen->events) / std::chrono::duration<double>(seen->took).count());
    fired = what.firings.total;
  }
  std::fprintf(stderr, "%s: %zu fired\n", name, fired);
  std::printf("bench %s %.0f events/s%s\n", name, best, target);
}

} // namespace

int main() {
  testing::scratch_database stored;
  const rehearsal::rehearsal_kinds kinds;
  fill(stored.get());
  measure("backtest, no event of the rule's type", stored.get(), kinds.table(),
          {{"types", {"other"}}, {"field", "cpu"}, {"op", ">"}, {"value", 100}}, "");
  measure("backtest, every event judged, none matching", stored.get(), kinds.table(),
          {{"types", {"host.metrics"}}, {"field", "cpu"}, {"op", ">"}, {"value", 100}}, " more 300000");
  measure("backtest, every event judged, 1 % matching", stored.get(), kinds.table(),
          {{"types", {"host.metrics"}}, {"field", "cpu"}, {"op", ">"}, {"value", 98}}, " more 300000");
  return 0;
}
