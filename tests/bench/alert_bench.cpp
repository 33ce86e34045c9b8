// From a verdict to the intention to tell somebody: alert_bench [--seconds N] [--rate N] [--batches N]
// First in process, one thread: a rule's decision about 100 new keys, then alerting's about their alerts. Then through
// the runtime and an SQLite file at a steady rate: the time from handing the events to the rule until the transaction
// with the notices is durable (the item that alerting publishes after its commit). Each twice: every alert a notice of
// its own, and the hundred alerts of a batch (one service each) in one notice, as a policy with `group_by` tells. The
// channel takes every notice at once and sends nothing: its speed is another figure.
#include "actors/alert/alerting_kind.hpp"
#include "actors/rule/rule_kind.hpp"
#include "runtime/entity/actor_system_settings.hpp"
#include "runtime/entity/entity_runtime.hpp"
#include "runtime/entity/single_node_placement.hpp"
#include "runtime/stream/event_bus.hpp"
#include "schemas/alert/alert_protocol.hpp"
#include "schemas/channel/channel_protocol.hpp"
#include "schemas/entity/entity_protocol.hpp"
#include "schemas/rule/rule_protocol.hpp"

#include <caf/all.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace tobit;
using namespace std::chrono_literals;
using bench_clock = std::chrono::steady_clock;

const entity_ref rule_ref{"rule", tenant_id{"default"}, "00000000-0000-7000-8000-000000000001"};
const entity_ref alerting_ref{"alerting", tenant_id{"default"}, "default"};
constexpr std::size_t batch_size = 100;

/// A channel that takes everything and does nothing.
class silent_channel final : public entity::entity_logic {
public:
  result<entity::decision> decide(const message& request, const entity::moment&) override {
    entity::decision out;
    if (!request.as<channel::send_notice>()) return fail(error_code::not_implemented);
    out.reply = message::of(channel::notice_taken{"sending"});
    return out;
  }
  void apply(const message&) override {}
  std::string snapshot() const override { return {}; }
  result<void> restore(std::string_view) override { return {}; }
  json view() const override { return json::object(); }
};
class silent_channels final : public entity::entity_kind {
public:
  std::string_view name() const noexcept override { return channel::kind_name; }
  result<entity::compiled_definition> compile(const entity_ref& ref, const json& body, const json*) const override {
    return entity::compiled_definition{body, ref.key, "", true, {}};
  }
  result<std::unique_ptr<entity::entity_logic>> instantiate(const entity_ref&, std::int64_t,
                                                            const json&) const override {
    return std::make_unique<silent_channel>();
  }
  std::optional<json> implicit_definition(const entity_ref&) const override { return json::object(); }
};

/// Which alerts are told of together.
enum class notices { each, grouped };
const char* suffix(notices how) { return how == notices::each ? "" : "_grouped"; }

json rule_body() {
  return {{"rule_name", "bench"},
          {"trigger_type", "event"},
          {"trigger_spec",
           {{"types", {"reading"}}, {"group_by", {"host", "service"}}, {"field", "value"}, {"op", ">"}, {"value", 10}}},
          {"alert", {{"resolve_after_seconds", 0}, {"max_keys", 1'000'000}}}};
}

json alerting_body(notices how) {
  json policy{{"notification_id", "ops"},
              {"name", "ops"},
              {"channels", {"ops"}},
              {"policy", {{"cooldown_seconds", 0}, {"max_per_hour", 0}}}};
  if (how == notices::grouped) policy.update({{"group_by", {"service"}}, {"group_wait_seconds", 0}});
  return {{"notifications", {std::move(policy)}}};
}

rule::evaluate_events batch(std::uint64_t first) {
  rule::evaluate_events out;
  for (std::uint64_t offset = first; offset < first + batch_size; ++offset) {
    event::event e;
    e.id = std::to_string(offset);
    e.source = "/bench";
    e.type = "reading";
    e.data = {
        {"host", "host-" + std::to_string(offset)}, {"service", "service-" + std::to_string(first)}, {"value", 50}};
    out.events.push_back({offset, std::make_shared<const event::event>(std::move(e))});
  }
  return out;
}

/// Of this process, in microseconds: what a busy machine does not change.
double cpu_us() { return 1e6 * static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

double quantile(std::vector<double>& values, double q) {
  if (values.empty()) return 0;
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(q * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

std::unique_ptr<entity::entity_logic> start(const entity::entity_kind& kind, const entity_ref& ref, const json& body) {
  const auto compiled = kind.compile(ref, body, nullptr);
  if (!compiled) {
    std::printf("# %s %s\n", compiled.error().pointer.c_str(), std::string(compiled.error().text()).c_str());
    std::exit(1);
  }
  return std::move(kind.instantiate(ref, 1, compiled->definition).value());
}

/// Alerts a second from events to notices, and the time of a batch: decisions only.
void in_process(std::size_t batches, notices how) {
  const auto rule = start(rule::rule_kind{{}}, rule_ref, rule_body());
  const auto alerting = start(alert::alerting_kind{{}}, alerting_ref, alerting_body(how));
  const auto context = new_call(system_identity(tenant_id{"default"}));
  std::vector<double> took_ms;
  std::size_t told_of = 0, written = 0;
  const auto cpu = cpu_us();
  const auto begin = bench_clock::now();
  for (std::size_t i = 0; i < batches; ++i) {
    const auto request = message::of(batch(1 + i * batch_size));
    const auto id = "d" + std::to_string(i);
    const auto started = bench_clock::now();
    // Also what a transaction needs of it: the texts of the journal and of the outbox.
    const auto take = [&](entity::entity_logic& who, const message& what) {
      auto decided = who.decide(what, {from_micros(1'800'000'000'000'000), context, id});
      for (const auto& event : decided->events) {
        written += event.text().size();
        who.apply(event);
      }
      for (auto& effect : decided->effects) written += (effect.said = effect.said.written()).text().size();
      return std::move(decided->effects);
    };
    for (const auto& effect : take(*rule, request))
      for (const auto& notice : take(*alerting, effect.said))
        told_of += notice.said.as<channel::send_notice>()->alerts.size();
    took_ms.push_back(std::chrono::duration<double, std::milli>(bench_clock::now() - started).count());
  }
  const std::chrono::duration<double> took = bench_clock::now() - begin;
  std::printf("bench alert_to_notice%s_in_process %.0f alerts/s more 10000\n", suffix(how),
              static_cast<double>(told_of) / took.count());
  std::printf("bench alert_to_notice%s_in_process_batch_p99 %.2f ms less 50\n", suffix(how), quantile(took_ms, 0.99));
  const auto alerts = static_cast<double>(told_of);
  std::printf("# in process: %.1f us of processor time an alert, %.0f bytes written\n", (cpu_us() - cpu) / alerts,
              static_cast<double>(written) / alerts);
}

void at_a_rate(double rate, double seconds, notices how) {
  const auto folder = std::filesystem::temp_directory_path() / ("tobit-alert-bench-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  auto db = storage::open_database((folder / "bench.db").string(), {});
  if (!db) return void(std::printf("# no database: %s\n", std::string(db.error().text()).c_str()));
  {
    system_clock time;
    caf::actor_system_config config;
    entity::configure_actors(config);
    caf::actor_system system{config};
    rule::rule_kind rules{{}};
    alert::alerting_kind alertings{{}};
    silent_channels channels;
    entity::kind_registry kinds;
    kinds.add(rules);
    kinds.add(alertings);
    kinds.add(channels);
    auto bus = stream::make_event_bus();
    auto places = std::move(*entity::single_node_placement::open(**db, node_id{"local"}));
    entity::runtime_deps deps;
    deps.system = &system;
    deps.db = db->get();
    deps.time = &time;
    deps.kinds = &kinds;
    deps.places = places.get();
    deps.bus = bus.get();
    auto node = entity::make_entity_runtime(deps);
    if (auto started = node->start(); !started) return void(std::printf("# the node does not start\n"));
    const auto who = system_identity(tenant_id{"default"});
    const auto patience = [&] { return new_call(who, time.steady_now() + 30s); };
    (void)node->ask_and_wait(alerting_ref, patience(),
                             message::of(entity::define_entity{alerting_body(how), "create", {}, ""}),
                             time.steady_now());
    (void)node->ask_and_wait(rule_ref, patience(), message::of(entity::define_entity{rule_body(), "create", {}, ""}),
                             time.steady_now());
    const auto batches = static_cast<std::size_t>(rate * seconds) / batch_size;
    std::vector<bench_clock::time_point> handed(batches);
    std::vector<double> latency_ms;
    std::mutex guard;
    std::atomic<std::size_t> seen{0}, refused{0};
    const auto watching = bus->subscribe(tenant_id{"default"}, "cep.events", 0, [&](const stream::stream_item& item) {
      if (item.event != "alert_changed") return;
      const auto at = item.data->find("host-");
      const auto offset = std::strtoull(item.data->c_str() + at + 5, nullptr, 10);
      const auto now = bench_clock::now();
      std::lock_guard lock{guard};
      latency_ms.push_back(std::chrono::duration<double, std::milli>(now - handed[(offset - 1) / batch_size]).count());
      ++seen;
    });
    const auto cpu = cpu_us();
    const auto begin = bench_clock::now();
    for (std::size_t i = 0; i < batches; ++i) {
      std::this_thread::sleep_until(begin +
                                    std::chrono::duration_cast<bench_clock::duration>(
                                        std::chrono::duration<double>(static_cast<double>(i * batch_size) / rate)));
      handed[i] = bench_clock::now();
      node->ask(rule_ref, patience(), message::of(batch(1 + i * batch_size)),
                [&](const result<message>& answer) { refused += !answer; });
    }
    const auto patience_end = bench_clock::now() + 30s;
    while (seen < batches * batch_size && bench_clock::now() < patience_end) std::this_thread::sleep_for(10ms);
    const std::chrono::duration<double> took = bench_clock::now() - begin;
    std::printf("bench alert_to_notice%s_durable %.0f alerts/s more 10000\n", suffix(how),
                static_cast<double>(seen) / took.count());
    std::printf("# durable: %.1f us of processor time an alert\n", (cpu_us() - cpu) / static_cast<double>(seen));
    node->stop(60s); // without the lock: the watcher takes it, and whoever stops waits for the watcher
    if (refused > 0) std::printf("# %zu batches were refused\n", refused.load());
    std::lock_guard lock{guard};
    std::printf("bench alert_to_notice%s_durable_p50 %.1f ms\n", suffix(how), quantile(latency_ms, 0.5));
    std::printf("bench alert_to_notice%s_durable_p99 %.1f ms less 50\n", suffix(how), quantile(latency_ms, 0.99));
  }
  db->reset();
  std::filesystem::remove_all(folder);
}

} // namespace

int main(int argc, char** argv) {
  double seconds = 5, rate = 10'000, batches = 200;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--seconds") == 0) seconds = std::atof(argv[i + 1]);
    if (std::strcmp(argv[i], "--rate") == 0) rate = std::atof(argv[i + 1]);
    if (std::strcmp(argv[i], "--batches") == 0) batches = std::atof(argv[i + 1]);
  }
  entity::register_entity_messages();
  rule::register_rule_messages();
  alert::register_alert_messages();
  channel::register_channel_messages();
  for (const auto how : {notices::each, notices::grouped}) {
    in_process(static_cast<std::size_t>(batches), how);
    at_a_rate(rate, seconds, how);
  }
  return 0;
}
