#pragma once

#include "actors/rule/rule_kind.hpp"
#include "runtime/entity/effect_watch.hpp"
#include "runtime/entity/entity_gateway.hpp"
#include "runtime/entity/kind_registry.hpp"
#include "runtime/intake/event_intake.hpp"
#include "runtime/storage/database.hpp"
#include "schemas/entity/entity_protocol.hpp"
#include "schemas/rule/rule_protocol.hpp"

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace tobit::testing {

/// Entities without actors: definitions go to the tables as the real runtime puts them there; what a rule answers is
/// set by the test. Answers come on the database's threads, as in life.
class fake_entities final : public entity::entity_gateway, public entity::effect_watch {
public:
  explicit fake_entities(storage::database& store) : store_(store) {}

  rule::rule_triggered triggered; ///< the answer to a trigger
  std::vector<entity::effect_outcome> outcomes;
  bool silent = false;           ///< answers nothing at all
  bool effects_hang = false;     ///< effects settle after the deadline
  std::vector<std::string> seen; ///< names of the messages that came

  void ask(entity_ref ref, call_context context, message request, reply_handler reply) override {
    {
      std::lock_guard lock{guard_};
      seen.emplace_back(request.name());
    }
    if (silent) {
      std::lock_guard lock{guard_};
      forgotten_.push_back(std::move(reply));
      return;
    }
    if (const auto* wish = request.as<entity::define_entity>()) return define(ref, context, *wish, std::move(reply));
    if (request.as<entity::delete_entity>()) return remove(ref, std::move(reply));
    if (const auto* wish = request.as<rule::simulate_rule>())
      return reply(message::of(
          rule::rule_simulated{{{"condition_evaluated", true}, {"would_execute", true}, {"payload", wish->payload}}}));
    if (request.as<rule::trigger_rule>()) return reply(message::of(triggered));
    if (ref.key == "health-check") return reply(fail(error_code::not_found));
    if (request.as<entity::inspect_entity>())
      return reply(message::of(entity::entity_view{{{"kind", ref.kind}, {"key", ref.key}}}));
    if (request.as<entity::control_entity>()) return reply(message::of(entity::entity_done{}));
    reply(fail(error_code::not_found)); // alerts, silences, baselines: what is not played is not there
  }

  /// Lets go of what it was silent about.
  void forget() {
    std::vector<reply_handler> gone;
    std::lock_guard lock{guard_};
    gone.swap(forgotten_);
  }

  void when_settled(std::string, steady_time,
                    std::function<void(result<std::vector<entity::effect_outcome>>)> done) override {
    if (effects_hang) return done(fail(error_code::deadline_exceeded));
    done(outcomes);
  }

private:
  void define(const entity_ref& ref, const call_context& context, const entity::define_entity& wish,
              reply_handler reply) {
    if (!wish.body.is_object()) return reply(fail(error_code::validation_error, "A rule is an object."));
    for (auto name : {"rule_name", "trigger_type"})
      if (wish.body.contains(name) && !wish.body[name].is_string())
        return reply(fail(error_code::validation_error, "A text.", pointer_append("", name)));
    if (wish.body.contains("is_active") && !wish.body["is_active"].is_boolean())
      return reply(fail(error_code::validation_error, "True or false.", "/is_active"));
    if (wish.body.value("rule_name", "").find('\0') != std::string::npos)
      return reply(fail(error_code::validation_error, "A zero byte.", "/rule_name"));
    if (wish.body.value("rule_name", json("x")) == json(""))
      return reply(fail(error_code::validation_error, "Name it.", "/rule_name"));
    const auto key = std::pair{ref.tenant.value, ref.key};
    std::int64_t version = 0;
    json body;
    {
      std::lock_guard lock{guard_};
      auto& [known, definition] = live_[key];
      if (wish.expected_version && *wish.expected_version != known) return reply(fail(error_code::conflict));
      version = ++known;
      if (!definition.is_object()) definition = json{{"is_active", true}};
      definition.update(wish.body);
      body = definition;
    }
    const auto now = std::int64_t{1'800'000'000'000'000} + version;
    storage::unit_of_work unit{
        {{"DELETE FROM entity WHERE kind = $1 AND tenant = $2 AND entity_key = $3",
          {ref.kind, ref.tenant.value, ref.key}},
         {"INSERT INTO entity (kind, tenant, entity_key, shard, version, enabled, name, label, created_at, created_by, "
          "updated_at)"
          " VALUES ($1, $2, $3, 1, $4, $5, $6, $7, $8, $9, $10)",
          {ref.kind, ref.tenant.value, ref.key, version, std::int64_t{body.value("is_active", true)},
           body.value("rule_name", ""), body.value("trigger_type", ""), now, context.who->principal.value, now}},
         {"INSERT INTO definition (kind, tenant, entity_key, version, body, change, summary, created_at, created_by)"
          " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
          {ref.kind, ref.tenant.value, ref.key, version, to_text(body), wish.change, wish.summary, now,
           context.who->principal.value}}}};
    store_.write(std::move(unit),
                 [reply = std::move(reply), version, body](const result<storage::write_outcome>& written) {
                   if (!written) return reply(fail(written.error()));
                   reply(message::of(entity::definition_live{version, body}));
                 });
  }

  void remove(const entity_ref& ref, reply_handler reply) {
    store_.write({{{"UPDATE entity SET deleted_at = 1 WHERE kind = $1 AND tenant = $2 AND entity_key = $3",
                    {ref.kind, ref.tenant.value, ref.key}}}},
                 [reply = std::move(reply)](const result<storage::write_outcome>&) {
                   reply(message::of(entity::entity_done{}));
                 });
  }

  storage::database& store_;
  std::mutex guard_;
  std::map<std::pair<std::string, std::string>, std::pair<std::int64_t, json>> live_;
  std::vector<reply_handler> forgotten_;
};

/// The table of kinds with real rules, for what is checked without being saved.
struct rule_kinds {
  rule::rule_kind rules{{}};
  entity::kind_registry kinds;
  rule_kinds() { kinds.add(rules); }
};

/// An intake that remembers what it was handed and reports what the test says.
class fake_intake final : public event::event_intake {
public:
  event::ingest_report report;
  event::ingest_request last;

  void ingest(event::ingest_request request, std::function<void(result<event::ingest_report>)> done) override {
    last = std::move(request);
    done(report);
  }
};

} // namespace tobit::testing
