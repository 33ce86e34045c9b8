#pragma once

#include "actors/event/event_appender.hpp"
#include "actors/event/event_router.hpp"
#include "actors/event/log_reader.hpp"
#include "tests/actor/event/recording_gateway.hpp"
#include "tests/actor/event/stepped_inbox.hpp"
#include "tests/support/scratch_database.hpp"
#include "tests/support/stepped_database.hpp"

#include <numeric>

namespace tobit::testing {

/// The database's answers come through here; the next write can be carried out and reported as uncertain.
class uncertain_database final : public storage::database {
public:
  explicit uncertain_database(storage::database& real) : real_(real) {}
  void write(storage::unit_of_work unit, std::function<void(result<storage::write_outcome>)> done) override {
    if (!std::exchange(lie, false)) return real_.write(std::move(unit), std::move(done));
    real_.write(std::move(unit), [done = std::move(done)](const result<storage::write_outcome>&) {
      done(fail(error_code::database_error, std::string(storage::outcome_unknown_sentence)));
    });
  }
  void read(storage::statement query, std::function<void(result<storage::rows>)> done) override {
    real_.read(std::move(query), std::move(done));
  }
  storage::database_status status() const override { return real_.status(); }
  bool lie = false;

private:
  storage::database& real_;
};

/// The log's writer and the router on one thread, with manual time; nothing happens unless the test drains.
struct event_fixture {
  explicit event_fixture(database_kind kind) : stored(kind) { start(); }

  /// A node starts on what is stored. What the one before had in memory is gone.
  void start() {
    router.reset();
    appender.reset();
    db = std::make_unique<stepped_database>(stored.get());
    uncertain = std::make_unique<uncertain_database>(*db);
    appender_inbox = std::make_unique<stepped_inbox<event::event_appender>>(time);
    router_inbox = std::make_unique<stepped_inbox<event::event_router>>(time);
    router =
        std::make_unique<event::event_router>(event::router_deps{db.get(), &time, &figures}, limits, *router_inbox);
    event::appender_deps deps{uncertain.get(), &time, &figures, {}};
    deps.committed = [this](std::vector<event::logged_batch_ptr> batches, std::uint64_t end) {
      if (router_hears) router->take(std::move(batches), end);
    };
    appender = std::make_unique<event::event_appender>(std::move(deps), *appender_inbox);
    const auto end = number(event::select_end()), watermark = number(event::select_watermark());
    event::id_window ids{1'000, std::chrono::hours{24}};
    ids.advance(time.now());
    const auto hashes = *db->read_and_wait(event::select_hashes(1u << 30, 1'000));
    for (const auto& row : hashes.values)
      for (const auto& id : event::hashes_from_bytes(storage::as_text(row[2]))) ids.insert(id);
    appender->start(std::max(end, watermark), std::move(ids));
    router->start(gateway, watermark, std::max(end, watermark), *db->read_and_wait(event::select_interests()));
    drain();
  }

  std::uint64_t number(storage::statement query) {
    const auto found = db->read_and_wait(std::move(query));
    if (!found || found->empty()) return 0;
    const auto& cell = (*found)[0][0];
    return static_cast<std::uint64_t>(std::holds_alternative<std::string>(cell) ? std::stoll(storage::as_text(cell))
                                                                                : storage::as_int(cell));
  }

  void drain() {
    while (appender_inbox->drain(*appender) || router_inbox->drain(*router)) {
    }
  }
  void pass(std::chrono::microseconds by) {
    time.advance(by);
    drain();
  }

  /// Sends one event of each id; the answer comes with `drain`.
  std::shared_ptr<std::optional<result<event::ingest_report>>> send(const std::vector<std::string>& ids,
                                                                    const std::string& type = "t") {
    event::ingest_request request;
    request.context = new_call(system_identity(tenant));
    request.format = event::event_format::ndjson;
    for (const auto& id : ids) request.body += R"({"id":")" + id + R"(","source":"/s","type":")" + type + "\"}\n";
    auto append = std::make_shared<event::append_request>();
    append->context = request.context;
    append->parsed = *event::parse_events(request, time.now());
    append->stored = event::compressed(append->parsed.events.text);
    auto told = std::make_shared<std::optional<result<event::ingest_report>>>();
    append->done = [told](result<event::ingest_report> report) { *told = std::move(report); };
    last_context = request.context;
    appender->append(append);
    return told;
  }
  void send_many(std::size_t count, const std::string& type = "t") {
    std::vector<std::string> ids;
    for (std::size_t i = 0; i < count; ++i) ids.push_back("n" + std::to_string(next_id++));
    send(ids, type);
  }

  entity_ref ref(const std::string& key) const { return {"rule", tenant, key}; }
  /// A rule that wants events of these types, as the entity runtime stores and reports it.
  void define(const std::string& key, const std::vector<std::string>& types, std::int64_t version = 1) {
    const json spec = entity::event_interest{types, {}};
    const auto now = to_micros(time.now());
    storage::unit_of_work unit;
    unit.statements = {
        {"INSERT INTO entity (kind, tenant, entity_key, shard, version, created_at, created_by, updated_at)"
         " VALUES ('rule', $1, $2, 0, $3, $4, 'ann', $4) ON CONFLICT (kind, tenant, entity_key) DO UPDATE SET version "
         "= excluded.version",
         {tenant.value, key, version, now},
         {},
         {}},
        {"INSERT INTO definition (kind, tenant, entity_key, version, body, change, created_at, created_by)"
         " VALUES ('rule', $1, $2, $3, '{}', $4, $5, 'ann')",
         {tenant.value, key, version, std::string(version == 1 ? "create" : "update"), now},
         {},
         {}},
        {"INSERT INTO interest (kind, tenant, entity_key, source, version, spec) VALUES ('rule', $1, $2, 'event', $3, "
         "$4)"
         " ON CONFLICT (kind, tenant, entity_key, source) DO UPDATE SET version = excluded.version, spec = "
         "excluded.spec",
         {tenant.value, key, version, spec.dump()},
         {},
         {}},
    };
    if (!stored->write_and_wait(std::move(unit))) throw std::runtime_error("no definition");
    router->interest_changed(ref(key), version, spec);
    drain();
  }

  static std::vector<std::uint64_t> range(std::uint64_t from, std::uint64_t to) {
    std::vector<std::uint64_t> all(to - from);
    std::iota(all.begin(), all.end(), from);
    return all;
  }

  tenant_id tenant{"default"};
  manual_clock time;
  telemetry::metrics figures;
  scratch_database stored;
  recording_gateway gateway;
  event::router_limits limits;
  call_context last_context = new_call(system_identity(tenant));
  bool router_hears = true;
  std::size_t next_id = 0;
  std::unique_ptr<stepped_database> db;
  std::unique_ptr<uncertain_database> uncertain;
  std::unique_ptr<stepped_inbox<event::event_appender>> appender_inbox;
  std::unique_ptr<stepped_inbox<event::event_router>> router_inbox;
  std::unique_ptr<event::event_router> router;
  std::unique_ptr<event::event_appender> appender;
};

} // namespace tobit::testing
