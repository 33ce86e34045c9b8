#define CAF_SUITE example_pack

#include "actors/rule/example_pack.hpp"
#include "config/examples/example_rules.hpp"
#include "schemas/entity/entity_protocol.hpp"
#include "tests/unit/rule/rule_samples.hpp"

#include <caf/test/unit_test.hpp>

#include <set>

using namespace tobit;
using namespace tobit::rule;

namespace {

/// What the built-in source `host` answers.
const json& host_reading() {
  static const json reading{
      {"cpu", {{"percent", 97.5}, {"user", 80.25}, {"system", 17.25}, {"iowait", 0.0}, {"steal", 0.0}}},
      {"load", {{"1", 9.5}, {"5", 8.75}, {"15", 3.0}}},
      {"memory",
       {{"total_bytes", 8'000'000'000},
        {"available_bytes", 400'000'000},
        {"used_percent", 95.0},
        {"swap_used_percent", 12.5}}},
      {"disk",
       {{"/", {{"total_bytes", 1'000}, {"free_bytes", 40}, {"used_percent", 96.0}, {"inodes_used_percent", 3.0}}},
        {"max_used_percent", 96.0}}},
      {"network",
       {{"rx_bytes_per_second", 61'000'000.4}, {"tx_bytes_per_second", 1'000.0}, {"interfaces", json::object()}}},
      {"processes",
       {{"count", 200},
        {"running", 3},
        {"top_cpu", {{{"pid", 42}, {"name", "busy"}, {"cpu_percent", 99.0}, {"rss_bytes", 1}}}},
        {"top_memory", json::array()}}},
      {"uptime_seconds", 5},
      {"host", "here"}};
  return reading;
}

/// Remembers what is defined, as the runtime would.
class fake_entities final : public entity::entity_gateway {
public:
  void ask(entity_ref ref, call_context, message request, reply_handler reply) override {
    const auto* define = request.as<entity::define_entity>();
    if (fails_at == ref.key) return reply(fail(error_code::database_error, "The disk is gone."));
    if (define->expected_version == 0 && !defined.insert(ref.key).second) return reply(fail(error_code::conflict));
    const auto compiled = rule_kind{samples::guard()}.compile(ref, define->body, nullptr);
    if (!compiled) return reply(fail(compiled.error()));
    reply(message::of(entity::definition_live{1, compiled->definition}));
  }
  std::set<std::string> defined;
  std::string fails_at;
};

call_context with_deadline() {
  return new_call(system_identity(tenant_id{"default"}), steady_time{std::chrono::hours{1}});
}

} // namespace

CAF_TEST(every example is a valid rule that fires on a busy machine) {
  for (const auto& example : config::example_rules()) {
    const auto compiled = rule_kind{{}}.compile({"rule", tenant_id{"default"}, example.rule_id}, example.body, nullptr);
    if (!compiled) {
      CAF_ERROR(example.name << " is refused at '" << compiled.error().pointer << "': " << compiled.error().message);
      continue;
    }
    if (compiled->label != "metric") continue;
    auto rule = example.body;
    rule.erase("rule_id");
    samples::bench b{rule};
    const auto fired = b.tell(evaluate_metric{host_reading(), "", 1});
    if (!fired.reply.as<metric_evaluated>()->matched) CAF_ERROR(example.name << " does not fire");
    CAF_MESSAGE(samples::text_param(fired.statements.at(0), 8));
    CAF_CHECK(samples::text_param(fired.statements.at(0), 8).find("  ") ==
              std::string::npos); // every placeholder is filled
  }
  CAF_CHECK(config::example_rules().size() >= 8);
}

CAF_TEST(the pack is loaded once and left alone afterwards) {
  fake_entities entities;
  const auto all = config::example_rules().size();
  const auto first = load_example_pack(entities, with_deadline(), steady_time{});
  CAF_REQUIRE(first.has_value());
  CAF_CHECK_EQUAL(first->created, all);
  const auto second = load_example_pack(entities, with_deadline(), steady_time{});
  CAF_REQUIRE(second.has_value());
  CAF_CHECK_EQUAL(second->created, 0u);
  CAF_CHECK_EQUAL(second->present, all);
}

CAF_TEST(a failure names the example) {
  fake_entities entities;
  entities.fails_at = config::example_rules()[2].rule_id;
  const auto failed = load_example_pack(entities, with_deadline(), steady_time{});
  CAF_REQUIRE(!failed.has_value());
  CAF_CHECK(failed.error().message.find(config::example_rules()[2].name) != std::string::npos);
}
