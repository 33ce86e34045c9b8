#pragma once

#include "runtime/entity/entity_runtime.hpp"
#include "runtime/entity/single_node_placement.hpp"
#include "schemas/entity/entity_protocol.hpp"
#include "tests/support/coordinator_clock.hpp"
#include "tests/support/counter/counter_kind.hpp"
#include "tests/support/counter/counter_protocol.hpp"
#include "tests/support/scratch_database.hpp"
#include "tests/support/stepped_database.hpp"

#include <caf/test/dsl.hpp>

#include <optional>

namespace tobit::testing {

/// Takes effects of one type. Answers them as told, or keeps them until the test answers.
class recording_handler final : public entity::effect_handler {
public:
  std::string_view type() const noexcept override { return effect_type; }
  void attempt(const entity::outgoing_effect& effect, std::function<void(entity::effect_outcome)> done) override {
    attempts.push_back(effect);
    if (hold)
      open.push_back(std::move(done));
    else if (!drop)
      done(outcome);
  }
  std::vector<storage::statement> settle(const entity::outgoing_effect& effect, const entity::effect_outcome&,
                                         utc_time now) override {
    return {{"INSERT INTO cluster_value (name, value) VALUES ($1, $2)", {"settled " + effect.id, to_rfc3339(now)}}};
  }
  int attempts_max() const noexcept override { return 3; }

  std::string effect_type = "test";
  std::vector<entity::outgoing_effect> attempts;
  std::vector<std::function<void(entity::effect_outcome)>> open;
  entity::effect_outcome outcome;
  bool hold = false, drop = false;
};

struct recording_listener final : entity::interest_listener {
  struct call {
    entity_ref ref;
    std::int64_t version;
    std::optional<json> spec;
  };
  std::string_view source() const noexcept override { return "schedule"; }
  void interest_changed(const entity_ref& ref, std::int64_t version, std::optional<json> spec) override {
    calls.push_back({ref, version, std::move(spec)});
  }
  std::vector<call> calls;
};

/// An answer that may not be there yet.
using answer_slot = std::shared_ptr<std::optional<result<message>>>;

/// One node with counters on a deterministic actor system: nothing happens unless the test lets it.
template <database_kind Kind>
struct entity_fixture : test_coordinator_fixture<> {
  entity_fixture() : time(sched), stored(Kind) {
    entity::register_entity_messages();
    counter::register_counter_messages();
    kinds.add(counters);
    who = std::make_shared<const identity>(identity{tenant, principal_id{"ann"}, role::admin, "r-1"});
    options.expiry_every = std::chrono::milliseconds{100};
  }
  ~entity_fixture() override {
    stop();
    for (auto& dead : lost_work) finish(*dead);
  }

  /// Starts a node on what is stored; an earlier one should be stopped or killed before.
  void start() {
    db = std::make_unique<stepped_database>(stored.get());
    auto opened = entity::single_node_placement::open(*db, node_id{"local"}, 4);
    CAF_REQUIRE(opened.has_value());
    places = std::move(*opened);
    entity::runtime_deps deps;
    deps.system = &sys;
    deps.db = db.get();
    deps.time = &time;
    deps.kinds = &kinds;
    deps.places = places.get();
    deps.handlers = {&handler};
    deps.listeners = {&listener};
    deps.bus = bus.get();
    deps.figures = figures;
    deps.spans = spans;
    deps.random = [] { return 0.5; };
    node = entity::make_entity_runtime(deps, options);
    CAF_REQUIRE(node->start().has_value());
    db->hold(true);
    settle();
  }

  /// Lets everything happen that can happen without time passing.
  void settle() {
    do consume_messages();
    while (db && db->step());
    consume_messages();
  }
  void pass(std::chrono::milliseconds by) {
    settle();
    advance_time(by);
    settle();
  }
  void stop() {
    if (!node) return;
    node->begin_stop(nullptr);
    settle();
    node.reset();
    places.reset();
  }
  /// Lets what a killed node had not committed come late, as from a process that was only frozen.
  void finish(stepped_database& late) {
    do consume_messages();
    while (late.step());
    consume_messages();
  }
  /// As if the process died now: work that is not committed is lost, nothing is saved.
  void kill() {
    db->hold(true);
    node->begin_stop(nullptr);
    lost_work.push_back(std::move(db));
    consume_messages();
    node.reset();
    places.reset();
  }

  entity_ref ref(std::string key = "a") const { return {"counter", tenant, std::move(key)}; }
  call_context context(std::chrono::milliseconds patience = std::chrono::seconds{10}) const {
    return new_call(who, time.steady_now() + patience);
  }
  answer_slot send(entity_ref to, message request, std::optional<call_context> with = {}) {
    auto slot = std::make_shared<std::optional<result<message>>>();
    node->ask(std::move(to), with ? *with : context(), std::move(request),
              [slot](result<message> reply) { *slot = std::move(reply); });
    return slot;
  }
  /// Asks and lets everything happen; a request that is not answered then fails the test.
  result<message> ask(entity_ref to, message request) {
    auto slot = send(std::move(to), std::move(request));
    settle();
    CAF_REQUIRE(slot->has_value());
    return **slot;
  }
  result<message> define(const json& body = json::object(), std::string key = "a",
                         std::optional<std::int64_t> expected = {}) {
    return ask(ref(std::move(key)), message::of(entity::define_entity{body, "update", expected, ""}));
  }
  std::int64_t count(const result<message>& reply) {
    auto* body = reply ? reply->template as<counter::count_is>() : nullptr;
    return body ? body->value : -1;
  }
  std::int64_t add(std::int64_t amount = 1) { return count(ask(ref(), message::of(counter::add_to_counter{amount}))); }
  std::int64_t get() { return count(ask(ref(), message::of(counter::get_count{}))); }
  result<message> control(std::string action, std::string key = "a") {
    return ask(ref(std::move(key)), message::of(entity::control_entity{std::move(action), "test"}));
  }
  json inspect(std::string key = "a") {
    auto reply = ask(ref(std::move(key)), message::of(entity::inspect_entity{}));
    return reply ? reply->template as<entity::entity_view>()->view : json();
  }
  static error_code code(const result<message>& reply) {
    return reply ? static_cast<error_code>(0) : reply.error().code;
  }
  static error_code code(const answer_slot& slot) {
    return slot->has_value() ? code(**slot) : static_cast<error_code>(0);
  }
  std::int64_t rows(std::string_view sql) {
    auto found = stored->read_and_wait({sql, {}});
    CAF_REQUIRE(found.has_value());
    return found->empty() ? -1 : storage::as_int((*found)[0][0]);
  }
  std::string text(std::string_view sql) {
    auto found = stored->read_and_wait({sql, {}});
    CAF_REQUIRE(found.has_value());
    return found->empty() ? "" : storage::as_text((*found)[0][0]);
  }

  const tenant_id tenant{"default"};
  identity_ptr who;
  coordinator_clock time;
  scratch_database stored;
  counter::counter_kind counters;
  entity::kind_registry kinds;
  recording_handler handler;
  recording_listener listener;
  entity::entity_options options;
  std::unique_ptr<stream::event_bus> bus;
  telemetry::metrics* figures = nullptr;
  telemetry::span_sink* spans = nullptr;
  std::vector<std::unique_ptr<stepped_database>> lost_work;
  std::unique_ptr<stepped_database> db;
  std::unique_ptr<entity::placement> places;
  std::unique_ptr<entity::entity_runtime> node;
};

} // namespace tobit::testing
