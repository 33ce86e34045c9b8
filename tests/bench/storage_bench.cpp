// Units per second of the storage room: storage_bench [--url URL_OR_PATH] [--seconds N]
// Without --url an SQLite file in a new folder under TMPDIR (or /tmp: a real disk, so that an fsync costs what it
// costs).

#include "runtime/storage/database.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <stdlib.h>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace tobit;
using namespace tobit::storage;
using bench_clock = std::chrono::steady_clock;

statement sql(std::string_view text, std::vector<value> params) {
  statement s;
  s.sql = text;
  s.params = std::move(params);
  return s;
}

unit_of_work one_row(std::uint64_t n) {
  return {{sql("INSERT INTO cluster_value (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = "
               "excluded.value",
               {"bench" + std::to_string(n % 50'000), std::to_string(n)})},
          n};
}

// What a scheduled tick writes: its place in the ledger, the schedule's next time, guarded by the shard's epoch.
unit_of_work one_tick(std::uint64_t n) {
  const auto key = "rule" + std::to_string(n % 10'000);
  const auto due = static_cast<std::int64_t>(n / 10'000);
  auto guard = sql("SELECT id FROM shard WHERE id = $1 AND owner = $2 AND epoch = $3 {for_share}",
                   {std::int64_t{1}, std::string("bench"), std::int64_t{1}});
  guard.expect_rows = 1;
  return {
      {std::move(guard),
       sql("INSERT INTO tick (kind, tenant, entity_key, place, due_at, status, decided_at) VALUES ($1, $2, $3, $4, $5, "
           "$6, $7) ON CONFLICT (kind, tenant, entity_key, place) DO UPDATE SET due_at = excluded.due_at, status = "
           "excluded.status, decided_at = excluded.decided_at",
           {std::string("rule"), std::string("default"), key, due % 20, due, std::string("fired"), due}),
       sql("UPDATE schedule SET next_due_at = $4 WHERE kind = $1 AND tenant = $2 AND entity_key = $3",
           {std::string("rule"), std::string("default"), key, due + 1})},
      n % 10'000};
}

unit_of_work one_batch(std::uint64_t n) {
  static const std::string body(40'000, 'x');
  static const std::string hashes(16'000, 'h');
  return {
      {sql("INSERT INTO event_batch (log_partition, first_offset, count, tenant, received_at, body, id_hashes, context)"
           " VALUES (0, $1, 1000, 'default', 0, $2, $3, '')",
           {static_cast<std::int64_t>(n * 1000), bytes{body}, bytes{hashes}})},
      0};
}

using unit_maker = unit_of_work (*)(std::uint64_t);

void measure(database& db, const char* name, unit_maker make, std::size_t in_flight, double seconds, std::uint64_t& n,
             const char* target = "") {
  std::atomic<std::size_t> open{0}, failed{0};
  std::mutex guard;
  std::vector<double> latencies;
  const auto start = bench_clock::now();
  const auto before = db.status();
  while (std::chrono::duration<double>(bench_clock::now() - start).count() < seconds) {
    if (open.load() >= in_flight) {
      std::this_thread::yield();
      continue;
    }
    ++open;
    const auto asked = bench_clock::now();
    db.write(make(n++), [&, asked](const result<write_outcome>& outcome) {
      if (!outcome) ++failed;
      {
        std::lock_guard lock{guard};
        latencies.push_back(std::chrono::duration<double, std::milli>(bench_clock::now() - asked).count());
      }
      --open;
    });
  }
  while (open.load() > 0) std::this_thread::sleep_for(std::chrono::milliseconds{1});
  const auto took = std::chrono::duration<double>(bench_clock::now() - start).count();
  const auto after = db.status();
  std::sort(latencies.begin(), latencies.end());
  const auto at = [&](double q) {
    return latencies[static_cast<std::size_t>(q * static_cast<double>(latencies.size() - 1))];
  };
  const auto groups = static_cast<double>(std::max<std::uint64_t>(1, after.transactions - before.transactions));
  std::printf("bench %s %s, %zu in flight %.0f units/s%s\n", after.kind.c_str(), name, in_flight,
              static_cast<double>(latencies.size()) / took, target);
  std::printf("bench %s %s, %zu in flight, p99 %.2f ms\n", after.kind.c_str(), name, in_flight, at(0.99));
  std::printf("  %.1f units a commit, p50 %.2f ms, failed %zu\n", static_cast<double>(latencies.size()) / groups,
              at(0.5), failed.load());
}

void prepare(database& db) {
  unit_of_work setup;
  setup.statements.push_back(sql("DELETE FROM event_batch", {}));
  setup.statements.push_back(sql("DELETE FROM tick", {}));
  setup.statements.push_back(
      sql("INSERT INTO shard (id, owner, epoch) VALUES (1, 'bench', 1) ON CONFLICT (id) DO NOTHING", {}));
  for (int i = 0; i < 10'000; ++i)
    setup.statements.push_back(sql("INSERT INTO schedule (kind, tenant, entity_key, spec, anchor_at, next_due_at) "
                                   "VALUES ('rule', 'default', $1, '{}', 0, 0)"
                                   " ON CONFLICT (kind, tenant, entity_key) DO NOTHING",
                                   {"rule" + std::to_string(i)}));
  auto done = db.write_and_wait(std::move(setup), std::chrono::seconds{60});
  if (!done) {
    std::fprintf(stderr, "storage_bench: %s\n", std::string(done.error().text()).c_str());
    std::exit(1);
  }
}

} // namespace

int main(int argc, char** argv) {
  std::string url, folder;
  double seconds = 3;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string option = argv[i];
    if (option == "--url")
      url = argv[i + 1];
    else if (option == "--seconds")
      seconds = std::atof(argv[i + 1]);
  }
  if (url.empty()) {
    const char* root = std::getenv("TMPDIR");
    folder = std::string(root ? root : "/tmp") + "/tobit-bench.XXXXXX";
    if (!::mkdtemp(folder.data())) return 1;
    url = folder + "/bench.db";
  }
  auto opened = open_database(url);
  if (!opened) {
    std::fprintf(stderr, "storage_bench: %s\n", std::string(opened.error().text()).c_str());
    return 1;
  }
  auto& db = **opened;
  prepare(db);
  std::uint64_t n = 0;
  measure(db, "rows", one_row, 1, seconds, n);
  measure(db, "rows", one_row, 64, seconds, n);
  measure(db, "rows", one_row, 4'000, seconds, n);
  n = 0;
  measure(db, "ticks", one_tick, 4'000, seconds, n, " more 10000");
  n = 0;
  measure(db, "event batches", one_batch, 1, seconds, n);
  measure(db, "event batches", one_batch, 16, seconds, n, " more 100");
  opened->reset();
  if (!folder.empty()) std::filesystem::remove_all(folder);
}
