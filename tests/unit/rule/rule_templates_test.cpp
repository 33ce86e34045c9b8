#define CAF_SUITE rule_templates

#include "config/templates/rule_template.hpp"
#include "tests/unit/rule/rule_samples.hpp"

#include <caf/test/unit_test.hpp>

#include <set>

using namespace tobit;
using namespace tobit::rule;

namespace {

/// A rule made from a template, shown what the template's example says. Time passes as `at` says.
class rehearsal {
public:
  explicit rehearsal(const config::rule_template& from) {
    const rule_kind kind{{{"127.0.0.1"}}};
    auto body = config::fill_in(from, from.example.value("parameters", json::object()));
    if (!body) throw std::runtime_error(from.id + ": " + std::string(body.error().text()));
    auto compiled = kind.compile(samples::ref, *body, nullptr);
    if (!compiled) throw std::runtime_error(from.id + " " + compiled.error().pointer + ": " + compiled.error().message);
    logic_ = std::move(kind.instantiate(samples::ref, 1, compiled->definition).value());
  }

  /// How many executions followed.
  std::size_t show(const json& phase) {
    std::size_t fired = 0;
    if (phase.contains("metric"))
      for (const auto& reading : listed(phase["metric"])) {
        pass(reading);
        fired += tell(evaluate_metric{without_time(reading), "", to_micros(now_)});
      }
    if (phase.contains("event"))
      for (const auto& one : listed(phase["event"])) {
        pass(one);
        event::event e;
        e.id = "e" + std::to_string(++offset_);
        e.source = one.value("source", "/example");
        e.type = one["type"].get<std::string>();
        e.time = now_;
        e.data = one["data"];
        evaluate_events batch;
        batch.events.push_back({offset_, std::make_shared<const event::event>(std::move(e))});
        fired += tell(std::move(batch));
      }
    if (phase.contains("wait_seconds")) {
      const auto end = now_ + std::chrono::seconds{phase["wait_seconds"].get<std::int64_t>()};
      while (const auto due = logic_->wake_at()) {
        if (*due > end) break;
        now_ = std::max(now_, *due);
        fired += tell(entity::wake_entity{});
        if (logic_->wake_at() == due) break;
      }
      now_ = end;
    }
    return fired;
  }

private:
  static json listed(const json& one) { return one.is_array() ? one : json::array({one}); }
  static json without_time(json reading) {
    reading.erase("at_seconds");
    return reading;
  }
  void pass(const json& what) { now_ += std::chrono::seconds{what.value("after_seconds", 1)}; }

  template <wire_message M>
  std::size_t tell(M body) {
    const auto id = "d" + std::to_string(++decisions_);
    auto decided = logic_->decide(message::of(std::move(body)), {now_, context_, id});
    if (!decided) throw std::runtime_error(decided.error().message);
    for (const auto& e : decided->events) logic_->apply(e);
    std::size_t fired = 0;
    for (const auto& statement : decided->statements)
      if (statement.sql.find("INSERT INTO rule_event") != std::string_view::npos) ++fired;
    return fired;
  }

  std::unique_ptr<entity::entity_logic> logic_;
  utc_time now_ = from_micros(1'763'627'400'000'000);
  call_context context_ = new_call(system_identity(tenant_id{"acme"}));
  std::uint64_t offset_ = 0;
  int decisions_ = 0;
};

} // namespace

CAF_TEST(there are enough templates and each has its own id) {
  std::set<std::string> ids, categories;
  for (const auto& one : config::rule_templates()) {
    ids.insert(one.id);
    categories.insert(one.category);
    CAF_CHECK_EQUAL(one.rule["labels"]["template"], one.id);
  }
  CAF_CHECK_EQUAL(ids.size(), config::rule_templates().size());
  CAF_CHECK(ids.size() >= 12);
  for (const auto* category : {"host", "http", "database", "log", "business"}) CAF_CHECK(categories.contains(category));
}

CAF_TEST(every template fires on its example and is silent otherwise) {
  for (const auto& one : config::rule_templates()) {
    CAF_MESSAGE(one.id);
    rehearsal quiet{one};
    quiet.show(one.example.value("before", json::object()));
    CAF_CHECK_EQUAL(quiet.show(one.example["silent"]), 0u);
    rehearsal loud{one};
    loud.show(one.example.value("before", json::object()));
    CAF_CHECK(loud.show(one.example["fires"]) > 0);
  }
}

CAF_TEST(a blank becomes the value with its type and text within text) {
  config::rule_template from;
  from.parameters = {{"type", "object"},
                     {"properties",
                      {{"n", {{"type", "number"}, {"default", 5}}},
                       {"t", {{"type", "string"}, {"default", "x"}}},
                       {"l", {{"type", "array"}, {"default", {"a", "b"}}}}}}};
  from.rule = {
      {"whole", "${n}"}, {"list", "${l}"}, {"within", "${t}: ${n} {{${t}}} ${other} ${"}, {"deep", {{{"v", "${t}"}}}}};
  const auto rule = config::fill_in(from, {{"n", 7.5}});
  CAF_REQUIRE(rule.has_value());
  CAF_CHECK_EQUAL((*rule)["whole"], 7.5);
  CAF_CHECK_EQUAL((*rule)["list"], json({"a", "b"}));
  CAF_CHECK_EQUAL((*rule)["within"], "x: 7.5 {{x}} ${other} ${");
  CAF_CHECK_EQUAL((*rule)["deep"][0]["v"], "x");
}
