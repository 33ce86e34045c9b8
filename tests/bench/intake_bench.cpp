// Events per second of the event log, in process, acknowledged after the commit:
// intake_bench [--url URL_OR_PATH] [--seconds N] [--events N] [--senders N] [--rules N]
// Without --url an SQLite file in a new folder under TMPDIR (or /tmp: a real disk).

#include "actors/event/event_log.hpp"
#include "actors/event/event_parser.hpp"
#include "runtime/entity/actor_system_settings.hpp"
#include "schemas/rule/rule_protocol.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <mutex>
#include <stdlib.h>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace tobit;
using namespace tobit::event;
using bench_clock = std::chrono::steady_clock;

struct settings {
  std::string url;
  double seconds = 5, rate = 0;
  std::size_t events = 1'000, senders = 4, rules = 0;
};

settings read_settings(int argc, char** argv) {
  settings s;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string option = argv[i], text = argv[i + 1];
    if (option == "--url")
      s.url = text;
    else if (option == "--seconds")
      s.seconds = std::stod(text);
    else if (option == "--events")
      s.events = std::stoul(text);
    else if (option == "--senders")
      s.senders = std::stoul(text);
    else if (option == "--rules")
      s.rules = std::stoul(text);
  }
  return s;
}

/// Says that everything was evaluated, at once.
class agreeing_gateway final : public entity::entity_gateway {
public:
  void ask(entity_ref, call_context, message request, reply_handler reply) override {
    if (const auto* events = request.as<rule::evaluate_events>()) evaluated += events->events.size();
    reply(message::of(rule::events_evaluated{}));
  }
  std::atomic<std::uint64_t> evaluated{0};
};

struct config : caf::actor_system_config {
  config() { entity::configure_actors(*this); }
};

std::string body_of(std::size_t events) {
  std::string body;
  for (std::size_t i = 0; i < events; ++i)
    body += R"({"type":"sensor.reading","source":"/plant/)" + std::to_string(i % 10) + R"(","data":{"sensor":"s)" +
            std::to_string(i % 100) + R"(","temperature":)" + std::to_string(20 + i % 30) + "." +
            std::to_string(i % 10) + R"(,"humidity":)" + std::to_string(30 + i % 60) +
            R"(,"ok":true,"unit":"celsius"}})" + "\n";
  return body;
}

class measurement {
public:
  void add(double ms) {
    std::lock_guard lock{guard_};
    latencies_.push_back(ms);
  }
  void print(const char* what, const char* target, const char* p99_target, std::size_t events, double seconds,
             std::size_t failed) {
    std::sort(latencies_.begin(), latencies_.end());
    const auto at = [&](double q) {
      return latencies_.empty() ? 0
                                : latencies_[static_cast<std::size_t>(q * static_cast<double>(latencies_.size() - 1))];
    };
    const auto requests = static_cast<double>(latencies_.size());
    std::printf("bench intake %s %.0f events/s%s\n", what, requests * static_cast<double>(events) / seconds, target);
    std::printf("bench intake %s, p99 to the commit %.2f ms%s\n", what, at(0.99), p99_target);
    std::printf("  %.1f requests/s of %zu events, p50 %.2f ms, longest %.2f ms, failed %zu\n", requests / seconds,
                events, at(0.5), at(1), failed);
  }

private:
  std::mutex guard_;
  std::vector<double> latencies_;
};

void send_for(event_intake& intake, const settings& s, const std::string& body, measurement& m,
              std::atomic<std::size_t>& failed) {
  const auto start = bench_clock::now();
  const auto pause = std::chrono::duration<double>(s.rate > 0 ? static_cast<double>(s.senders) / s.rate : 0);
  for (std::size_t n = 0; bench_clock::now() - start < std::chrono::duration<double>(s.seconds); ++n) {
    if (s.rate > 0)
      std::this_thread::sleep_until(start +
                                    std::chrono::duration_cast<bench_clock::duration>(pause * static_cast<double>(n)));
    ingest_request request;
    request.context = new_call(system_identity(tenant_id{"default"}));
    request.format = event_format::ndjson;
    request.body = body;
    std::promise<bool> answered;
    const auto asked = bench_clock::now();
    intake.ingest(std::move(request),
                  [&](const result<ingest_report>& report) { answered.set_value(report.has_value()); });
    if (!answered.get_future().get()) ++failed;
    m.add(std::chrono::duration<double, std::milli>(bench_clock::now() - asked).count());
  }
}

void run(event_intake& intake, const settings& s, const std::string& body, const char* what, const char* target,
         const char* p99_target) {
  measurement m;
  std::atomic<std::size_t> failed{0};
  std::vector<std::thread> senders;
  const auto start = bench_clock::now();
  for (std::size_t i = 0; i < s.senders; ++i) senders.emplace_back([&] { send_for(intake, s, body, m, failed); });
  for (auto& sender : senders) sender.join();
  m.print(what, target, p99_target, s.events, std::chrono::duration<double>(bench_clock::now() - start).count(),
          failed);
}

void measure_parser(const std::string& body, std::size_t events) {
  ingest_request request;
  request.context = new_call(system_identity(tenant_id{"default"}));
  request.format = event_format::ndjson;
  request.body = body;
  constexpr int rounds = 200;
  std::size_t stored = 0;
  const auto start = bench_clock::now();
  for (int i = 0; i < rounds; ++i) stored += parse_events(request, from_micros(0))->events.text.size();
  const auto parsed = bench_clock::now();
  const auto text = parse_events(request, from_micros(0))->events.text;
  const auto begin = bench_clock::now();
  std::size_t packed = 0;
  for (int i = 0; i < rounds; ++i) packed += compressed(text).size();
  const auto end = bench_clock::now();
  const auto each = [&](auto d) { return std::chrono::duration<double, std::micro>(d).count() / rounds; };
  std::printf("  parse %zu events (%zu KiB): %.0f us; compress %zu KiB to %zu KiB: %.0f us\n", events,
              body.size() / 1024, each(parsed - start), stored / rounds / 1024, packed / rounds / 1024,
              each(end - begin));
}

} // namespace

int main(int argc, char** argv) {
  auto s = read_settings(argc, argv);
  std::string folder;
  if (s.url.empty()) {
    const char* root = std::getenv("TMPDIR");
    folder = std::string(root ? root : "/tmp") + "/tobit-bench.XXXXXX";
    if (!::mkdtemp(folder.data())) return 1;
    s.url = folder + "/bench.db";
  }
  const auto body = body_of(s.events);
  measure_parser(body, s.events);
  auto db = storage::open_database(s.url);
  if (!db) {
    std::fprintf(stderr, "intake_bench: %s\n", std::string(db.error().text()).c_str());
    return 1;
  }
  {
    system_clock time;
    agreeing_gateway rules;
    config c;
    caf::actor_system system{c};
    auto log = make_event_log({&system, db->get(), &time, nullptr});
    if (!log->start(rules)) return 1;
    for (std::size_t i = 0; i < s.rules; ++i)
      log->interests().interest_changed(
          {"rule", tenant_id{"default"}, "r" + std::to_string(i)}, 1,
          json(entity::event_interest{{i == 0 ? "sensor.*" : "other." + std::to_string(i)}, {}}));
    s.rate = 105; // the target's load, with a little to spare
    run(log->intake(), s, body, "at 105 requests/s", "", " less 50");
    s.rate = 0;
    run(log->intake(), s, body, "as fast as it goes", " more 100000", "");
    log->stop(std::chrono::seconds{60});
    if (s.rules > 0)
      std::printf("  %zu rules evaluated %llu events\n", s.rules,
                  static_cast<unsigned long long>(rules.evaluated.load()));
  }
  db->reset();
  if (!folder.empty()) std::filesystem::remove_all(folder);
}
