#include "tests/unit/rule/pattern_rules.hpp"

namespace tobit::rule::samples {

namespace {

json pattern(json spec) {
  if (!spec.contains("pattern") && !spec.contains("within_seconds")) spec["within_seconds"] = 60;
  return rule_with("pattern", std::move(spec));
}
json line(std::string text, json more = json::object()) {
  more["pattern"] = std::move(text);
  return pattern(std::move(more));
}
json steps(json list, json more = json::object()) {
  more["steps"] = std::move(list);
  return pattern(std::move(more));
}
/// A then this, for what is wrong with one step.
json then(const json& changes) {
  json step{{"types", {"B"}}};
  step.update(changes);
  return steps(json::array({{{"types", {"A"}}}, std::move(step)}));
}
json many(std::size_t count) {
  auto out = json::array();
  for (std::size_t i = 0; i < count; ++i) out.push_back({{"types", {"T" + std::to_string(i)}}});
  return out;
}

const json a{{"types", {"A"}}};
const json b{{"types", {"B"}}};
const json no_b{{"types", {"B"}}, {"absent", true}};

} // namespace

std::vector<good_rule> with_patterns(std::vector<good_rule> rules) {
  const std::vector<good_rule> more{
      {"pattern in one line", line("A then B within 5m by user, host")},
      {"pattern with conditions by name",
       line("fail=login.*{3,5} then ok within 5m",
            {{"where", {{"fail", {{"field", "code"}, {"op", ">="}, {"value", 400}}}, {"ok", {{"keep", {"ip"}}}}}}})},
      {"pattern of steps", steps(json::array({a, b}), {{"group_by", {"user"}}})},
      {"pattern with an absence", steps(json::array({a, no_b}))},
      {"pattern with all settings", steps(json::array({a, b}), {{"start", "first"},
                                                                {"after_match", "skip_to_next"},
                                                                {"contiguity", "strict"},
                                                                {"time", "event"},
                                                                {"allowed_lateness_seconds", 5},
                                                                {"max_keys", 1'000'000},
                                                                {"max_partial_matches", 1'000'000},
                                                                {"max_partial_matches_per_key", 1'000}})},
      {"pattern with groups of events",
       steps(json::array({{{"all_of", {{{"name", "x"}, {"types", "X"}}, {{"event_type", "Y"}, {"sources", "/s"}}}}},
                          {{"any_of", {{{"types", "X"}}, {{"field", "z"}, {"value", 1}}}}, {"min", 2}}}))},
      {"pattern with references",
       then({{"conditions",
              {{{"field", "u"}, {"ref", "A.user.name"}},
               {{"field", "v"}, {"op", ">"}, {"value", 3}},
               {{"field", "w"}, {"op", "contains"}, {"ref", "A.last.w"}, {"case_sensitive", false}}}}})},
      {"pattern with a group of conditions",
       then({{"logic", "or"}, {"conditions", {{{"field", "u"}, {"value", 1}}, {{"field", "v"}, {"value", 2}}}}})},
      {"pattern with repetition", then({{"times", 3}, {"within_seconds", 30}})},
      {"pattern that only counts", line("A{10} within 1m by host")},
      {"pattern that looks back",
       steps(json::array({{{"types", {"B"}}, {"absent", true}, {"within_seconds", 3'600}}, a}))},
      {"pattern of ten steps", steps(many(10))},
  };
  rules.insert(rules.end(), more.begin(), more.end());
  return rules;
}

std::vector<bad_rule> with_patterns(std::vector<bad_rule> rules) {
  const std::vector<bad_rule> more{
      {"pattern of nothing", pattern(json::object()), "/trigger_spec/steps", "needs 'steps'"},
      {"pattern without an end", rule_with("pattern", {{"steps", {a, b}}}), "/trigger_spec/within_seconds", "for ever"},
      {"pattern without steps", steps(json::array()), "/trigger_spec/steps", "1 to 10 steps"},
      {"pattern of eleven steps", steps(many(11)), "/trigger_spec/steps", "1 to 10 steps"},
      {"pattern of one event", steps(json::array({a})), "/trigger_spec/steps", "no pattern", true},
      {"pattern of absences", steps(json::array({no_b})), "/trigger_spec/steps", "never comes at all", true},
      {"pattern within a year", steps(json::array({a, b}), {{"within_seconds", 31'536'000}}),
       "/trigger_spec/within_seconds", "from 1 to 2592000"},
      {"pattern in a misspelt line", rule_with("pattern", {{"patern", "A then B within 5m"}}), "/trigger_spec/patern",
       "Did you mean 'pattern'"},
      {"pattern in a wrong line", line("A then B"), "/trigger_spec/pattern", "within 5m", true},
      {"pattern within 99 days", line("A then B within 99d"), "/trigger_spec/pattern", "30 days", true},
      {"pattern by line and steps", line("A then B within 5m", {{"steps", {a, b}}}), "/trigger_spec/steps",
       "one of both"},
      {"pattern grouped twice", line("A then B within 5m by x", {{"group_by", {"y"}}}), "/trigger_spec/group_by",
       "behind 'by'", true},
      {"pattern started twice", line("first A then B within 5m", {{"start", "every"}}), "/trigger_spec/start",
       "already", true},
      {"conditions for nobody", line("A then B within 5m", {{"where", {{"C", json::object()}}}}),
       "/trigger_spec/where/C", "does not use", true},
      {"conditions as text", line("A then B within 5m", {{"where", {{"A", "x"}}}}), "/trigger_spec/where/A",
       "JSON object"},
      {"wrong condition by name",
       line("A then B within 5m", {{"where", {{"A", {{"field", "x"}, {"op", "~"}, {"value", 1}}}}}}),
       "/trigger_spec/where/A/op", "not an operator", true},
      {"conditions without a line", steps(json::array({a, b}), {{"where", json::object()}}), "/trigger_spec/where",
       "in one line"},
      {"step that is text", steps(json::array({a, "B"})), "/trigger_spec/steps/1", "JSON object"},
      {"step for everything", steps(json::array({a, json::object()})), "/trigger_spec/steps/1", "every event", true},
      {"step for everything by a star", steps(json::array({a, {{"types", {"*"}}}})), "/trigger_spec/steps/1",
       "every event", true},
      {"misspelt step", then({{"absnt", true}}), "/trigger_spec/steps/1/absnt", "Did you mean 'absent'"},
      {"name with a dot", then({{"name", "x.y"}}), "/trigger_spec/steps/1/name", "letters, digits"},
      {"name that messages use", then({{"name", "rule"}}), "/trigger_spec/steps/1/name", "something else", true},
      {"name twice", then({{"name", "A"}}), "/trigger_spec/steps/1/name", "its own", true},
      {"never often enough", then({{"min", 3}, {"max", 2}}), "/trigger_spec/steps/1/max", "never be complete", true},
      {"zero times", then({{"min", 0}}), "/trigger_spec/steps/1/min", "from 1 to 1000"},
      {"a million times", then({{"times", 1'000'000}}), "/trigger_spec/steps/1/times", "from 1 to 1000"},
      {"times and min", then({{"times", 2}, {"min", 2}}), "/trigger_spec/steps/1/min", "one or the other"},
      {"max at the end", then({{"min", 2}, {"max", 5}}), "/trigger_spec/steps/1/max", "no effect", true},
      {"absence that counts", then({{"absent", true}, {"times", 2}}), "/trigger_spec/steps/1/times", "not counted"},
      {"absence of its own successor", steps(json::array({a, no_b, b})), "/trigger_spec/steps/1", "never match", true},
      {"absence in the middle with a time",
       steps(json::array({a, {{"types", {"C"}}, {"absent", true}, {"within_seconds", 5}}, b})),
       "/trigger_spec/steps/1/within_seconds", "from one to the other", true},
      {"absence under strict",
       steps(json::array({a, {{"types", {"C"}}, {"absent", true}}, b}), {{"contiguity", "strict"}}),
       "/trigger_spec/steps/1", "anyway", true},
      {"absences of different times",
       steps(json::array({a,
                          {{"types", {"B"}}, {"absent", true}, {"within_seconds", 5}},
                          {{"types", {"C"}}, {"absent", true}, {"within_seconds", 6}}})),
       "/trigger_spec/steps/1/within_seconds", "from one to the other", true},
      {"first step with a time", steps(json::array({{{"types", {"A"}}, {"within_seconds", 5}}, b})),
       "/trigger_spec/steps/0/within_seconds", "none before", true},
      {"step longer than the pattern", then({{"within_seconds", 61}}), "/trigger_spec/steps/1/within_seconds",
       "without effect", true},
      {"group of one", steps(json::array({a, {{"all_of", {b}}}})), "/trigger_spec/steps/1/all_of", "2 to 8"},
      {"group in a group", steps(json::array({a, {{"any_of", {b, {{"all_of", {a, b}}}}}}})),
       "/trigger_spec/steps/1/any_of/1/all_of", "not nested"},
      {"group with types", steps(json::array({a, {{"any_of", {a, b}}, {"types", {"C"}}}})),
       "/trigger_spec/steps/1/types", "members"},
      {"all and any", steps(json::array({a, {{"any_of", {a, b}}, {"all_of", {a, b}}}})), "/trigger_spec/steps/1/any_of",
       "either"},
      {"repeated group", steps(json::array({a, {{"all_of", {a, b}}, {"times", 2}}})), "/trigger_spec/steps/1/times",
       "once"},
      {"member that counts", steps(json::array({a, {{"any_of", {b, {{"types", "C"}, {"times", 2}}}}}})),
       "/trigger_spec/steps/1/any_of/1/times", "not to its members"},
      {"reference to nobody", then({{"field", "x"}, {"ref", "Z.x"}}), "/trigger_spec/steps/1/ref", "There is A", true},
      {"reference to itself", then({{"name", "B"}, {"field", "x"}, {"ref", "B.x"}}), "/trigger_spec/steps/1/ref",
       "earlier", true},
      {"reference without a field", then({{"field", "x"}, {"ref", "A"}}), "/trigger_spec/steps/1/ref",
       "a dot and a field", true},
      {"reference in the first step", steps(json::array({{{"field", "x"}, {"ref", "A.x"}}, b})),
       "/trigger_spec/steps/0/ref", "none before", true},
      {"reference by a list", then({{"field", "x"}, {"op", "in"}, {"ref", "A.x"}}), "/trigger_spec/steps/1/op",
       "earlier step"},
      {"reference and value", then({{"field", "x"}, {"value", 1}, {"ref", "A.x"}}), "/trigger_spec/steps/1/value",
       "not both"},
      {"reference under OR", then({{"logic", "OR"}, {"conditions", {{{"field", "x"}, {"ref", "A.x"}}}}}),
       "/trigger_spec/steps/1/conditions/0/ref", "AND", true},
      {"reference in a group",
       then({{"conditions", {{{"logic", "AND"}, {"conditions", {{{"field", "x"}, {"ref", "A.x"}}}}}}}}),
       "/trigger_spec/steps/1/conditions/0/conditions/0/ref", "AND"},
      {"reference without a field to compare", then({{"ref", "A.x"}}), "/trigger_spec/steps/1/ref", "'field'"},
      {"unknown contiguity", steps(json::array({a, b}), {{"contiguity", "loose"}}), "/trigger_spec/contiguity",
       "relaxed, strict"},
      {"unknown skip", steps(json::array({a, b}), {{"after_match", "no_skp"}}), "/trigger_spec/after_match",
       "Did you mean 'no_skip'"},
      {"late by arrival", steps(json::array({a, b}), {{"time", "arrival"}, {"allowed_lateness_seconds", 1}}),
       "/trigger_spec/allowed_lateness_seconds", "nothing is late", true},
      {"too many keys", steps(json::array({a, b}), {{"max_keys", 2'000'000}}), "/trigger_spec/max_keys",
       "from 1 to 1000000"},
      {"pattern with a window", steps(json::array({a, b}), {{"window_config", json::object()}}),
       "/trigger_spec/window_config", "no windows"},
      {"pattern grouped by a wrong path", steps(json::array({a, b}), {{"group_by", {"a..b"}}}),
       "/trigger_spec/group_by/0", "empty steps", true},
      {"keeps a wrong path", then({{"keep", {"a", ".b"}}}), "/trigger_spec/steps/1/keep/1", "empty steps", true},
  };
  rules.insert(rules.end(), more.begin(), more.end());
  return rules;
}

} // namespace tobit::rule::samples
