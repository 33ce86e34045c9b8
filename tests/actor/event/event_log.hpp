#pragma once

// The event log as a whole, on a real actor system. Included once for each database, with CAF_SUITE and
// TOBIT_TESTED_KIND.

#include "actors/event/event_log.hpp"
#include "runtime/entity/actor_system_settings.hpp"
#include "tests/actor/event/recording_gateway.hpp"
#include "tests/support/scratch_database.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/test/unit_test.hpp>

#include <future>
#include <set>
#include <thread>

using namespace tobit;
using namespace tobit::event;

namespace {

struct quiet_config : caf::actor_system_config {
  quiet_config() { entity::configure_actors(*this, 2); }
};

struct fixture {
  system_clock time;
  testing::scratch_database db{TOBIT_TESTED_KIND};
  testing::recording_gateway gateway;
  quiet_config config;
  caf::actor_system system{config};
  std::unique_ptr<event_log> log;

  fixture() { start(); }
  ~fixture() { log.reset(); }

  void start(const event_log_options& options = {}) {
    log = make_event_log({&system, &db.get(), &time, nullptr}, options);
    CAF_REQUIRE(log->start(gateway).has_value());
  }

  result<ingest_report> ingest(std::string body, event_format format = event_format::ndjson) {
    ingest_request request;
    request.context = new_call(system_identity(tenant_id{"default"}));
    request.format = format;
    request.body = std::move(body);
    auto answer = std::make_shared<std::promise<result<ingest_report>>>();
    auto arrived = answer->get_future();
    log->intake().ingest(std::move(request),
                         [answer](result<ingest_report> report) { answer->set_value(std::move(report)); });
    CAF_REQUIRE(arrived.wait_for(std::chrono::seconds{20}) == std::future_status::ready);
    return arrived.get();
  }

  static std::string lines(std::size_t from, std::size_t to) {
    std::string body;
    for (auto i = from; i < to; ++i) body += R"({"type":"t","source":"/s","id":")" + std::to_string(i) + "\"}\n";
    return body;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(event_log_tests, fixture)

CAF_TEST(events go in and are told and are read again) {
  const auto report = ingest(lines(0, 100) + "{bad\n");
  CAF_REQUIRE(report);
  CAF_CHECK_EQUAL(report->accepted, 100u);
  CAF_CHECK_EQUAL(report->rejected_total, 1u);
  std::promise<result<std::vector<logged_batch_ptr>>> read;
  log->read(50, 10, [&](result<std::vector<logged_batch_ptr>> found) { read.set_value(std::move(found)); });
  const auto found = read.get_future().get();
  CAF_REQUIRE(found && found->size() == 1);
  CAF_CHECK_EQUAL((*found)[0]->events.lines.size(), 100u);
  const auto last = to_event((*found)[0]->events.line(99));
  CAF_CHECK(last && (*last)->id == "99");
  std::promise<result<std::uint64_t>> offset;
  log->find_offset(utc_time::min(), [&](result<std::uint64_t> o) { offset.set_value(o); });
  const auto first = offset.get_future().get();
  CAF_CHECK(first && *first == 0);
}

CAF_TEST(many threads send overlapping events and each is stored once) {
  std::vector<std::thread> senders;
  std::atomic<std::size_t> accepted{0}, duplicate{0};
  for (std::size_t t = 0; t < 4; ++t)
    senders.emplace_back([&, t] {
      for (std::size_t i = 0; i < 20; ++i) {
        const auto from = (t / 2) * 1'000 + i * 50; // two threads each send the same
        const auto report = ingest(lines(from, from + 50));
        if (report) accepted += report->accepted, duplicate += report->duplicate;
      }
    });
  for (auto& sender : senders) sender.join();
  CAF_CHECK_EQUAL(accepted.load(), 2'000u);
  CAF_CHECK_EQUAL(duplicate.load(), 2'000u);
  auto stored = db->read_and_wait({"SELECT sum(count), max(first_offset + count) FROM event_batch", {}, {}, {}});
  CAF_REQUIRE(stored);
  CAF_CHECK_EQUAL(storage::as_int((*stored)[0][0]), 2'000);
  CAF_CHECK_EQUAL(storage::as_int((*stored)[0][1]), 2'000);
}

CAF_TEST(a rule that was defined before a request hears of its events) {
  log->interests().interest_changed({"rule", tenant_id{"default"}, "r"}, 1, json(entity::event_interest{}));
  CAF_CHECK(ingest(lines(0, 10)).has_value());
  CAF_CHECK(log->stop(std::chrono::seconds{10}));
  CAF_CHECK_EQUAL(gateway.seen("r").size(), 10u);
}

CAF_TEST(a restart goes on where the last one stopped) {
  CAF_CHECK(ingest(lines(0, 10)).has_value());
  CAF_CHECK(log->stop(std::chrono::seconds{10}));
  const auto refused = ingest(lines(10, 11));
  CAF_CHECK(!refused && refused.error().code == error_code::unavailable);
  start();
  const auto report = ingest(lines(5, 15));
  CAF_REQUIRE(report);
  CAF_CHECK_EQUAL(report->duplicate, 5u);
  CAF_CHECK_EQUAL(report->accepted, 5u);
  std::promise<router_status> told;
  log->status([&](const router_status& s) { told.set_value(s); });
  const auto now = told.get_future().get();
  CAF_CHECK_EQUAL(now.end, 15u);
}

CAF_TEST(more than can wait is refused at once) {
  CAF_CHECK(log->stop(std::chrono::seconds{10}));
  event_log_options options;
  options.waiting_bytes_max = 10;
  start(options);
  const auto refused = ingest(lines(0, 10));
  CAF_REQUIRE(!refused);
  CAF_CHECK_EQUAL(refused.error().code, error_code::overloaded);
}

CAF_TEST(a request without a usable event writes nothing) {
  const auto report = ingest("{}\n{}\n");
  CAF_REQUIRE(report);
  CAF_CHECK_EQUAL(report->accepted, 0u);
  CAF_CHECK_EQUAL(report->rejected_total, 2u);
  const auto refused = ingest("nonsense", event_format::json);
  CAF_CHECK(!refused && refused.error().code == error_code::malformed_json);
}

CAF_TEST_FIXTURE_SCOPE_END()
