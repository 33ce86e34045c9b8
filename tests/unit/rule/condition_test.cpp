#define CAF_SUITE condition

#include "actors/rule/condition.hpp"
#include "actors/rule/trigger_definition.hpp"

#include <caf/test/unit_test.hpp>

#include <cstdlib>
#include <random>

using namespace tobit;
using namespace tobit::rule;

namespace {

condition compile(const json& spec) {
  verdict v;
  std::size_t count = 0;
  const auto normalised = read_condition(v, spec, "", count);
  if (!v.good()) throw std::runtime_error(v.problem().pointer + ": " + v.problem().message);
  return condition::compile(normalised);
}

error refusal(const json& spec) {
  verdict v;
  std::size_t count = 0;
  read_condition(v, spec, "/c", count);
  return v.good() ? error{error_code::not_found, "accepted"} : v.problem();
}

json leaf(const char* field, const char* op, json value) {
  return {{"field", field}, {"op", op}, {"value", std::move(value)}};
}
json group(const char* logic, json members) { return {{"logic", logic}, {"conditions", std::move(members)}}; }
bool holds(const json& spec, const json& payload) { return compile(spec).matches(subject::of(payload)); }

json nested(int depth) {
  auto out = leaf("a", "==", 1);
  for (int i = 0; i < depth; ++i) out = group("AND", json::array({out}));
  return out;
}

} // namespace

CAF_TEST(a field is looked up in the data then in the attributes then below metrics) {
  event::event e;
  e.type = "reading";
  e.source = "/s";
  e.time = from_micros(1'763'627'400'000'000);
  e.data = {{"source", "inner"}, {"rooms", {{{"t", 20}}, {{"t", 25}}}}, {"metrics", {{"cpu", 93}}}, {"a.b", 7}};
  e.attributes = {{"region", "eu"}};
  const auto where = subject::of(e);
  for (const auto& [field, value] : std::vector<std::pair<const char*, json>>{{"source", "inner"},
                                                                              {"type", "reading"},
                                                                              {"rooms.1.t", 25},
                                                                              {"cpu", 93},
                                                                              {"metrics.cpu", 93},
                                                                              {"region", "eu"},
                                                                              {"data.source", "inner"},
                                                                              {"a.b", 7},
                                                                              {"time", "2025-11-20T08:30:00.000000Z"}})
    if (!compile(leaf(field, "==", value)).matches(where)) CAF_ERROR("field " << field << " is not " << value);
  for (auto field : {"rooms.2.t", "rooms.x", "subject", "nowhere", "type.x", "rooms.-1", "a.b.c"})
    if (compile(leaf(field, "!=", "never")).matches(where)) CAF_ERROR("field " << field << " should be missing");
}

CAF_TEST(groups combine with AND OR and NOT) {
  const json payload{{"a", 1}, {"b", 2}};
  const auto t = leaf("a", "==", 1), f = leaf("a", "==", 9), missing = leaf("x", "==", 1);
  CAF_CHECK(holds(group("AND", {t, t}), payload) && !holds(group("AND", {t, f}), payload));
  CAF_CHECK(holds(group("OR", {f, t}), payload) && !holds(group("OR", {f, f}), payload));
  CAF_CHECK(holds(group("NOT", {f, f}), payload) && !holds(group("NOT", {f, t}), payload));
  CAF_CHECK(holds(group("NOT", json::array({missing})), payload));
  CAF_CHECK(holds(group("AND", {group("NOT", json::array({f})), group("or", {f, t})}), payload));
}

CAF_TEST(references explain every comparison) {
  const auto explained =
      compile(group("AND", {leaf("a", ">", 5), leaf("x", "=", "y")})).explain(subject::of(json{{"a", 7}}));
  CAF_CHECK(!explained.matched);
  const auto& r = explained.references;
  CAF_CHECK_EQUAL(r["composite_logic"], "AND");
  CAF_CHECK_EQUAL(r["final_result"], false);
  CAF_REQUIRE_EQUAL(r["conditions_evaluated"].size(), 2u);
  CAF_CHECK_EQUAL(
      r["conditions_evaluated"][0],
      (json{{"field", "a"}, {"operator", ">"}, {"expected", 5}, {"actual", 7}, {"condition_evaluated", true}}));
  CAF_CHECK_EQUAL(r["conditions_evaluated"][1]["reason"], "The field is not there.");
  CAF_CHECK_EQUAL(r["conditions_evaluated"][1]["operator"], "==");
  CAF_CHECK_EQUAL(r["conditions_evaluated"][1]["actual"], nullptr);
  const auto text = compile(leaf("a", ">", 5)).explain(subject::of(json{{"a", "warm"}})).references;
  CAF_CHECK_EQUAL(text["reason"], "'>' cannot compare a text with a number.");
}

CAF_TEST(what is not a condition is refused at its place) {
  struct row {
    json spec;
    const char* pointer;
    const char* says;
  };
  auto many = json::array();
  for (int i = 0; i < 101; ++i) many.push_back(leaf("a", "==", i));
  const std::vector<row> rows{
      {json::array(), "/c", "JSON object"},
      {{{"op", ">"}, {"value", 1}}, "/c/field", "needs the field 'field'"},
      {{{"feild", "a"}, {"op", ">"}, {"value", 1}}, "/c/feild", "Did you mean 'field'"},
      {{{"field", "a"}, {"op", "=>"}, {"value", 1}}, "/c/op", "not an operator"},
      {{{"field", "a"}, {"op", "matches"}, {"value", "x"}}, "/c/op", "not an operator"},
      {{{"field", "a"}, {"op", 5}, {"value", 1}}, "/c/op", "text"},
      {{{"field", "a"}, {"op", ">"}}, "/c/value", "needs the field 'value'"},
      {{{"field", "a"}, {"op", ">"}, {"value", json::array()}}, "/c/value", "number or a text"},
      {{{"field", "a"}, {"op", "in"}, {"value", 1}}, "/c/value", "list"},
      {{{"field", "a"}, {"op", "in"}, {"value", json::array()}}, "/c/value", "list"},
      {{{"field", "a"}, {"op", "starts_with"}, {"value", 1}}, "/c/value", "text"},
      {{{"field", "a..b"}, {"value", 1}}, "/c/field", "empty steps"},
      {{{"field", ""}, {"value", 1}}, "/c/field", "1 to 200"},
      {{{"field", "a"}, {"value", 1}, {"case_sensitive", "no"}}, "/c/case_sensitive", "true or false"},
      {group("XOR", {leaf("a", "==", 1)}), "/c/logic", "AND"},
      {group("AND", json::array()), "/c/conditions", "at least one"},
      {{{"logic", "AND"}}, "/c/conditions", "at least one"},
      {{{"conditions", {leaf("a", "==", 1)}}, {"field", "a"}}, "/c/field", "Not both"},
      {group("AND", {leaf("a", "==", 1), {{"field", "b"}, {"op", "~"}, {"value", 1}}}), "/c/conditions/1/op",
       "not an operator"},
      {group("AND", many), "/c/conditions/100", "at most 100"},
      {nested(9),
       "/c/conditions/0/conditions/0/conditions/0/conditions/0/conditions/0/conditions/0/conditions/0/conditions/0",
       "deeper than 8"},
  };
  for (const auto& r : rows) {
    const auto refused = refusal(r.spec);
    if (refused.pointer != r.pointer || refused.message.find(r.says) == std::string::npos)
      CAF_ERROR(r.spec << " gives '" << refused.pointer << "': " << refused.message);
  }
  CAF_CHECK_EQUAL(refusal(nested(8)).message, "accepted");
}

CAF_TEST(the quick verdict and the explained one agree on random conditions) {
  const char* given = std::getenv("TOBIT_TEST_SEED");
  const auto seed = given ? std::strtoul(given, nullptr, 10) : std::random_device{}();
  CAF_MESSAGE("TOBIT_TEST_SEED=" << seed);
  std::mt19937 random{static_cast<std::mt19937::result_type>(seed)};
  const auto below = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>{0, n - 1}(random); };
  const json values{nullptr,
                    true,
                    false,
                    0,
                    1,
                    -1,
                    1.5,
                    9223372036854775807,
                    18446744073709551615u,
                    -9.5e10,
                    "1",
                    "abc",
                    "",
                    "ABC",
                    json::array({1, "abc"}),
                    json{{"a", 1}}};
  const std::vector<const char*> fields{"a", "b", "a.b", "list.0", "metrics.c", "c", "type", "data.a"};
  const std::vector<const char*> ops{">",  "<",  ">=",     "<=",       "==",          "=",
                                     "!=", "in", "not_in", "contains", "starts_with", "ends_with"};
  const std::function<json(int)> make = [&](int depth) -> json {
    if (depth == 0 || below(3) == 0) {
      const std::string op = ops[below(ops.size())];
      json value = values[below(values.size())];
      if (op == "in" || op == "not_in")
        value = json::array({value, values[below(values.size())]});
      else if (op.ends_with("_with"))
        value = "a";
      else if (op[0] == '<' || op[0] == '>') {
        if (!value.is_string() && !value.is_number()) value = 5;
      }
      return {{"field", fields[below(fields.size())]}, {"op", op}, {"value", value}, {"case_sensitive", below(2) == 0}};
    }
    auto members = json::array();
    for (std::size_t i = 0, n = 1 + below(4); i < n; ++i) members.push_back(make(depth - 1));
    return group(std::vector{"AND", "OR", "NOT"}[below(3)], std::move(members));
  };
  int matched = 0;
  for (int i = 0; i < 2'000; ++i) {
    event::event e;
    e.type = "abc";
    e.data = {{"a", values[below(values.size())]},
              {"list", json::array({values[below(values.size())]})},
              {"metrics", {{"c", values[below(values.size())]}}}};
    if (below(2)) e.data["b"] = values[below(values.size())];
    const auto spec = make(3);
    const auto compiled = compile(spec);
    const auto where = subject::of(e);
    const auto quick = compiled.matches(where);
    const auto explained = compiled.explain(where);
    matched += quick;
    if (quick != explained.matched) CAF_ERROR("they differ on " << spec << " over " << e.data);
    const auto& verdict = explained.references[compiled.is_group() ? "final_result" : "condition_evaluated"];
    if (verdict != quick) CAF_ERROR("the references differ on " << spec);
  }
  CAF_CHECK(matched > 200 && matched < 1'800); // neither verdict is the only one
}
