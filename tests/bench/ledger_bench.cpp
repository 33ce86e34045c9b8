// Ticks per second of the tick ledger: ledger_bench [--url URL_OR_PATH] [--schedules N] [--interval SECONDS] [--seconds
// N] Without --url an SQLite file in a new folder under TMPDIR (or /tmp: a real disk, so that an fsync costs what it
// costs). The entities answer at once, so that what is measured is the ledger with its durable rows.

#include "actors/schedule/tick_ledger.hpp"
#include "schemas/rule/rule_protocol.hpp"

#include <caf/all.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdlib.h>
#include <string>
#include <thread>
#include <unistd.h>

namespace {

using namespace tobit;
using namespace std::chrono_literals;
using bench_clock = std::chrono::steady_clock;

class prompt_entities final : public entity::entity_gateway {
public:
  void ask(entity_ref, call_context, message, reply_handler reply) override {
    ++asked;
    reply(message::of(rule::tick_done{true}));
  }
  std::atomic<std::uint64_t> asked{0};
};

double seconds_since(bench_clock::time_point begin) {
  return std::chrono::duration<double>(bench_clock::now() - begin).count();
}

long resident_kilobytes() {
  std::ifstream statm("/proc/self/statm");
  long total = 0, resident = 0;
  statm >> total >> resident;
  return resident * (::sysconf(_SC_PAGESIZE) / 1024);
}

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

storage::statement sql(std::string_view text, std::vector<storage::value> params) {
  storage::statement s;
  s.sql = text;
  s.params = std::move(params);
  return s;
}

/// Interests as the runtime would have stored them, with the rows of a ledger that ran a moment ago.
void define(storage::database& database, int count, int interval) {
  const auto spec = to_text(json(parse_schedule({{"interval_seconds", interval}}).value()));
  const auto now = to_micros(system_clock{}.now());
  storage::unit_of_work unit;
  for (int i = 0; i < count; ++i) {
    const auto digits = std::to_string(i);
    const auto key = std::string(36 - digits.size(), '0') + digits;
    const auto anchor = now - i * std::int64_t{interval} * 1'000'000 / count; // due times spread over the interval
    unit.statements.push_back(sql("INSERT INTO interest (kind, tenant, entity_key, source, version, spec) "
                                  "VALUES ('rule', 'default', $1, 'schedule', 1, $2)",
                                  {key, spec}));
    unit.statements.push_back(sql("INSERT INTO schedule (kind, tenant, entity_key, spec, anchor_at, next_due_at) "
                                  "VALUES ('rule', 'default', $1, $2, $3, $4)",
                                  {key, spec, anchor, now + (i % interval + 3) * std::int64_t{1'000'000}}));
    if (unit.statements.size() < 10'000 && i + 1 < count) continue;
    if (auto written = database.write_and_wait(std::move(unit), 60s); !written)
      std::printf("cannot define: %s\n", std::string(written.error().text()).c_str());
    unit = {};
  }
}

struct settings {
  std::string url;
  int schedules = 20'000, interval = 1, seconds = 10;
};

void run(const settings& how) {
  auto database = storage::open_database(how.url).value();
  const auto defining = bench_clock::now();
  define(*database, how.schedules, how.interval);
  std::printf("defined %d schedules in %.2f s\n", how.schedules, seconds_since(defining));
  caf::actor_system_config config;
  config.set("scheduler.policy", caf::atom("sharing"));
  config.set("scheduler.max-threads", 2);
  config.set("scheduler.max-throughput", 100);
  caf::actor_system actors{config};
  prompt_entities entities;
  system_clock time;
  telemetry::metrics metrics;
  const auto before = resident_kilobytes();
  auto ledger = schedule::make_tick_ledger(
      {actors, *database, entities, time, metrics, [](const entity_ref&, utc_time due, std::int64_t missed) {
         return message::of(rule::run_tick{to_micros(due), missed});
       }});
  const auto starting = bench_clock::now();
  ledger->start();
  while (!ledger->figures().loaded) std::this_thread::sleep_for(1ms);
  std::printf("loaded in %.2f s, resident +%ld kB (%.0f bytes a schedule, reading included)\n", seconds_since(starting),
              resident_kilobytes() - before, static_cast<double>(resident_kilobytes() - before) * 1024 / how.schedules);
  std::this_thread::sleep_for(4s);
  const auto fired = ledger->figures().fired, skipped = ledger->figures().skipped;
  const auto begin = bench_clock::now();
  const auto cpu = cpu_seconds();
  const auto transactions = database->status().transactions;
  std::this_thread::sleep_for(std::chrono::seconds{how.seconds});
  const auto took = seconds_since(begin);
  const auto ticks = static_cast<double>(ledger->figures().fired - fired);
  std::printf("%.0f ticks/s wanted, %llu skipped, %.2f cores, %.0f transactions/s\n",
              static_cast<double>(how.schedules) / how.interval,
              static_cast<unsigned long long>(ledger->figures().skipped - skipped), (cpu_seconds() - cpu) / took,
              static_cast<double>(database->status().transactions - transactions) / took);
  std::printf("bench ledger_ticks %.0f ticks/s more 10000\n", ticks / took);
  const auto page = metrics.expose();
  for (const char* bucket : {"0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "+Inf"}) {
    const auto name = std::string("tobit_tick_delay_seconds_bucket{le=\"") + bucket + "\"}";
    if (const auto at = page.find(name); at != std::string::npos)
      std::printf("  late at most %s s: %s\n", bucket,
                  page.substr(at + name.size() + 1, page.find('\n', at) - at - name.size() - 1).c_str());
  }
  ledger->stop(5s);
  ledger.reset();
  database.reset();
}

/// The next firing of an expression that has to look across a change of clocks.
void measure_cron() {
  const auto zone = find_time_zone("America/New_York").value();
  for (const auto* expression : {"*/5 * * * *", "30 2 * * *", "0 9 * * MON-FRI", "0 0 29 2 *"}) {
    const auto cron = parse_cron(expression).value();
    auto t = from_micros(1'800'000'000'000'000);
    const auto begin = bench_clock::now();
    constexpr int rounds = 50'000;
    for (int i = 0; i < rounds; ++i)
      t = next_after(cron, zone, t).value() > from_micros(2'100'000'000'000'000) ? from_micros(1'800'000'000'000'000)
                                                                                 : next_after(cron, zone, t).value();
    std::printf("bench cron_next(%s) %.0f ns less 10000\n", expression, seconds_since(begin) * 1e9 / rounds / 2);
  }
}

} // namespace

int main(int argc, char** argv) {
  settings how;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    if (name == "--url") how.url = argv[i + 1];
    if (name == "--schedules") how.schedules = std::atoi(argv[i + 1]);
    if (name == "--interval") how.interval = std::atoi(argv[i + 1]);
    if (name == "--seconds") how.seconds = std::atoi(argv[i + 1]);
  }
  std::string folder;
  if (how.url.empty()) {
    const char* root = std::getenv("TMPDIR");
    folder = std::string(root ? root : "/tmp") + "/tobit-bench.XXXXXX";
    if (!::mkdtemp(folder.data())) return 1;
    how.url = folder + "/tobit.db";
  }
  measure_cron();
  run(how);
  if (!folder.empty()) std::filesystem::remove_all(folder);
  return 0;
}
