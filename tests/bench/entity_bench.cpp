// Entities in figures: entity_bench [--url URL_OR_PATH] [--definitions N] [--seconds N]
// Without --url an SQLite file in a new folder under TMPDIR (or /tmp). Prints what tests/bench/run.py collects:
// messages per second to resident entities, what the trace context costs of it, memory per active entity, activations
// per second, and the start with many definitions.
#include "runtime/entity/actor_system_settings.hpp"
#include "runtime/entity/entity_runtime.hpp"
#include "runtime/entity/single_node_placement.hpp"
#include "schemas/entity/entity_protocol.hpp"
#include "tests/support/counter/counter_kind.hpp"
#include "tests/support/counter/counter_protocol.hpp"

#include <caf/all.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <malloc.h>
#include <string>
#include <thread>
#include <unistd.h>

namespace {

using namespace tobit;
using namespace std::chrono_literals;
using bench_clock = std::chrono::steady_clock;

double seconds_since(bench_clock::time_point begin) {
  return std::chrono::duration<double>(bench_clock::now() - begin).count();
}

double resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  long total = 0, resident = 0;
  statm >> total >> resident;
  return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

entity_ref counter_ref(std::size_t i) {
  const auto digits = std::to_string(i);
  return {"counter", tenant_id{"default"}, std::string(36 - digits.size(), '0') + digits};
}

/// One node on a real actor system.
class bench_node {
public:
  bench_node(storage::database& db, telemetry::metrics* figures) {
    entity::configure_actors(config_);
    system_ = std::make_unique<caf::actor_system>(config_);
    kinds_.add(counters_);
    places_ = std::move(*entity::single_node_placement::open(db, node_id{"local"}));
    entity::runtime_deps deps;
    deps.system = system_.get();
    deps.db = &db;
    deps.time = &time_;
    deps.kinds = &kinds_;
    deps.places = places_.get();
    deps.figures = figures;
    node_ = entity::make_entity_runtime(deps);
    if (auto started = node_->start(); !started) {
      std::printf("cannot start: %s\n", std::string(started.error().text()).c_str());
      std::exit(1);
    }
  }
  ~bench_node() { node_->stop(60s); }
  entity::entity_runtime& operator*() { return *node_; }
  entity::entity_runtime* operator->() { return node_.get(); }

private:
  system_clock time_;
  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
  counter::counter_kind counters_;
  entity::kind_registry kinds_;
  std::unique_ptr<entity::placement> places_;
  std::unique_ptr<entity::entity_runtime> node_;
};

/// Keeps `window` requests open until `total` are answered; gives the seconds it took.
double drive(entity::entity_runtime& node, std::size_t total, std::size_t window, std::size_t threads,
             const std::function<entity_ref(std::size_t)>& target, const std::function<message(std::size_t)>& request,
             const std::function<call_context()>& context, std::atomic<std::size_t>* failures = nullptr) {
  std::atomic<std::size_t> answered{0};
  const auto begin = bench_clock::now();
  std::vector<std::thread> senders;
  for (std::size_t t = 0; t < threads; ++t)
    senders.emplace_back([&, t] {
      for (std::size_t i = t; i < total; i += threads) {
        while (i > answered.load(std::memory_order_relaxed) + window) std::this_thread::yield();
        node.ask(target(i), context(), request(i), [&](const result<message>& reply) {
          if (!reply && failures) failures->fetch_add(1);
          answered.fetch_add(1, std::memory_order_relaxed);
        });
      }
    });
  for (auto& sender : senders) sender.join();
  while (answered.load() < total) std::this_thread::sleep_for(100us);
  return seconds_since(begin);
}

void define_all(entity::entity_runtime& node, std::size_t count, const identity_ptr& who) {
  std::atomic<std::size_t> failures{0};
  const auto took = drive(
      node, count, 5'000, 1, counter_ref,
      [](std::size_t i) {
        return message::of(entity::define_entity{{{"name", "counter " + std::to_string(i)}}, "create", {}, ""});
      },
      [&] { return new_call(who); }, &failures);
  std::printf("bench entity_definitions %.0f definitions/s\n", static_cast<double>(count) / took);
  if (failures > 0) std::printf("# %zu definitions failed\n", failures.load());
}

void measure_messages(entity::entity_runtime& node, const char* name, std::size_t entities, const identity_ptr& who,
                      double seconds, std::size_t threads) {
  const auto read = message::of(counter::get_count{});
  const auto run = [&](std::size_t total, const std::function<call_context()>& context) {
    return static_cast<double>(total) / drive(
                                            node, total, 20'000, threads,
                                            [&](std::size_t i) { return counter_ref(i % entities); },
                                            [&](std::size_t) { return read; }, context);
  };
  const auto traced = [&] { return new_call(who); };
  const auto total = static_cast<std::size_t>(run(100'000, traced) * seconds);
  const auto fixed = new_call(who);
  std::vector<double> with, without;
  const auto cpu_before = std::clock();
  for (int i = 0; i < 3; ++i) {
    with.push_back(run(total, traced));
    without.push_back(run(total, [&] { return fixed; }));
  }
  // The machine may be busy with other things; processor time says what a message costs all the same.
  std::printf("# %s: %.0f ns of processor time per message\n", name,
              static_cast<double>(std::clock() - cpu_before) / CLOCKS_PER_SEC * 1e9 /
                  (6.0 * static_cast<double>(total)));
  std::sort(with.begin(), with.end());
  std::sort(without.begin(), without.end());
  std::printf("bench %s %.0f messages/s more 1000000\n", name, with[1]);
  std::printf("# %s with one context for all: %.0f messages/s\n", name, without[1]);
}

void measure_context(const identity_ptr& who) {
  constexpr int rounds = 2'000'000;
  std::uint64_t sum = 0;
  const auto begin = bench_clock::now();
  for (int i = 0; i < rounds; ++i) {
    const auto call = new_call(who);
    sum += call.child().span.value;
  }
  std::printf("bench entity_context_cost %.1f ns/message\n", seconds_since(begin) * 1e9 / rounds);
  if (sum == 1) std::printf("#\n");
}

std::int64_t counted(storage::database& db, std::string_view sql) {
  auto found = db.read_and_wait({sql, {}}, 60s);
  return found && !found->empty() ? storage::as_int((*found)[0][0]) : 0;
}

/// A hundred entities say something to one: decision, message through the outbox, the receiver's decision, settlement,
/// all durable. Like rules that tell the alerting of their tenant.
void measure_said(entity::entity_runtime& node, storage::database& db, const identity_ptr& who) {
  constexpr std::size_t total = 50'000, sources = 100;
  const entity::message_effect said{
      "counter", counter_ref(sources).key, std::string(counter::add_to_counter::wire_name), {{"amount", 1}}};
  const auto want = message::of(counter::report_to_counter{"message", json(said), 1, false});
  const auto begin = bench_clock::now();
  drive(
      node, total, 5'000, 1, [](std::size_t i) { return counter_ref(i % sources); }, [&](std::size_t) { return want; },
      [&] { return new_call(who); });
  const auto decided = seconds_since(begin);
  while (counted(db, "SELECT COUNT(*) FROM outbox WHERE status = 'pending'") > 0) std::this_thread::sleep_for(20ms);
  const auto took = seconds_since(begin);
  std::printf("bench entity_said %.0f messages/s more 10000\n", total / took);
  std::printf("# entity_said: decided after %.2f s of %.2f s; %lld of %zu done\n", decided, took,
              static_cast<long long>(counted(db, "SELECT COUNT(*) FROM outbox WHERE status = 'done'")), total);
}

/// Many sleep, few are due: what the sleepers cost.
void measure_wakes(entity::entity_runtime& node, const identity_ptr& who, std::size_t sleepers) {
  const auto far = to_micros(system_clock{}.now() + std::chrono::hours{1'000});
  const auto took = drive(
      node, sleepers, 5'000, 1, counter_ref,
      [far](std::size_t i) {
        return message::of(counter::alarm_counter{far + static_cast<std::int64_t>(i), 0, false});
      },
      [&] { return new_call(who); });
  std::printf("bench entity_sleepers %.0f entities/s\n", static_cast<double>(sleepers) / took);
}

} // namespace

int main(int argc, char** argv) {
  std::string url;
  std::size_t definitions = 100'000;
  double seconds = 2;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string option = argv[i];
    if (option == "--url")
      url = argv[i + 1];
    else if (option == "--definitions")
      definitions = std::stoul(argv[i + 1]);
    else if (option == "--seconds")
      seconds = std::stod(argv[i + 1]);
  }
  std::string folder;
  if (url.empty()) {
    const char* root = std::getenv("TMPDIR");
    folder = std::string(root ? root : "/tmp") + "/tobit-bench.XXXXXX";
    if (!::mkdtemp(folder.data())) return 1;
    url = folder + "/tobit.db";
  }
  entity::register_entity_messages();
  counter::register_counter_messages();
  const auto who =
      std::make_shared<const identity>(identity{tenant_id{"default"}, principal_id{"bench"}, role::admin, "request-1"});
  auto db = storage::open_database(url);
  if (!db) return std::printf("%s\n", std::string(db.error().text()).c_str()), 1;
  telemetry::metrics figures;
  measure_context(who);
  {
    bench_node node(**db, nullptr);
    define_all(*node, definitions, who);
    measure_messages(*node, "entity_messages", 1'000, who, seconds, 1);
    measure_messages(*node, "entity_messages_two_senders", 1'000, who, seconds, 2);
    measure_messages(*node, "entity_messages_one_entity", 1, who, seconds, 1);
  }
  {
    const auto begin = bench_clock::now();
    bench_node node(**db, nullptr);
    std::printf("bench entity_start_%zuk_definitions %.2f s less 10\n", definitions / 1000, seconds_since(begin));
    ::malloc_trim(0);
    const auto before = resident_bytes();
    const auto awake = std::min<std::size_t>(definitions, 50'000);
    std::atomic<std::size_t> failures{0};
    const auto took = drive(
        *node, awake, 1'000, 1, counter_ref, [](std::size_t) { return message::of(counter::get_count{}); },
        [&] { return new_call(who); }, &failures);
    std::printf("bench entity_activations %.0f entities/s\n", static_cast<double>(awake) / took);
    std::printf("bench entity_active_memory %.0f bytes/entity less 16384\n",
                (resident_bytes() - before) / static_cast<double>(awake));
    if (failures > 0) std::printf("# %zu activations failed\n", failures.load());
    const auto writes = drive(
        *node, 100'000, 5'000, 1, [](std::size_t i) { return counter_ref(i % 1'000); },
        [](std::size_t) { return message::of(counter::add_to_counter{1}); }, [&] { return new_call(who); });
    std::printf("bench entity_durable_decisions %.0f decisions/s\n", 100'000 / writes);
    measure_said(*node, **db, who);
    measure_wakes(*node, who, awake);
  }
  {
    bench_node node(**db, &figures);
    measure_messages(*node, "entity_messages_with_metrics", 1'000, who, seconds, 1);
  }
  db->reset();
  if (!folder.empty()) std::filesystem::remove_all(folder);
}
