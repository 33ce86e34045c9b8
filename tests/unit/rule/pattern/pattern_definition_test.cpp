#define CAF_SUITE pattern_definition

#include "tests/unit/rule/pattern/pattern_samples.hpp"

#include <caf/test/unit_test.hpp>

#include <cstdlib>
#include <iostream>
#include <random>

using namespace tobit;
using namespace tobit::rule;
using namespace tobit::rule::pattern;
using namespace tobit::rule::pattern::samples;

namespace {

/// Documents that look more or less like a pattern.
class nonsense {
public:
  explicit nonsense(std::uint64_t seed) : random_(seed) {}

  json value(int depth) {
    switch (below(depth > 0 ? 12 : 9)) {
    case 0:
      return nullptr;
    case 1:
      return below(2) == 0;
    case 2:
      return below(20) - 5;
    case 3:
      return static_cast<double>(random_()) * (below(2) == 0 ? 1e300 : -1e-300);
    case 4:
      return random_();
    case 5:
      return word();
    case 6:
      return line();
    case 7:
      return "A." + word();
    case 8:
      return std::string(static_cast<std::size_t>(below(300)), static_cast<char>(below(256)));
    case 9: {
      auto out = json::array();
      for (int i = below(5); i > 0; --i) out.push_back(value(depth - 1));
      return out;
    }
    default:
      return object(depth - 1);
    }
  }
  json object(int depth) {
    static const std::vector<std::string> names{"steps",
                                                "within_seconds",
                                                "group_by",
                                                "name",
                                                "types",
                                                "event_type",
                                                "sources",
                                                "field",
                                                "op",
                                                "value",
                                                "ref",
                                                "conditions",
                                                "logic",
                                                "absent",
                                                "min",
                                                "max",
                                                "times",
                                                "all_of",
                                                "any_of",
                                                "keep",
                                                "start",
                                                "after_match",
                                                "contiguity",
                                                "pattern",
                                                "where",
                                                "time",
                                                "allowed_lateness_seconds",
                                                "max_keys",
                                                "case_sensitive",
                                                "max_partial_matches",
                                                "nonsense"};
    auto out = json::object();
    for (int i = below(6); i > 0; --i)
      out[names[static_cast<std::size_t>(below(static_cast<int>(names.size())))]] = value(depth);
    return out;
  }
  /// A good pattern with some places changed.
  json near_miss() {
    json out{{"within_seconds", 60},
             {"group_by", {"user"}},
             {"steps",
              {{{"name", "A"}, {"types", {"a"}}, {"min", 2}, {"max", 3}},
               {{"all_of", {{{"types", {"b"}}}, {{"types", {"c"}}, {"field", "x"}, {"op", ">"}, {"ref", "A.x"}}}}},
               {{"name", "N"}, {"types", {"d"}}, {"absent", true}},
               {{"name", "Z"},
                {"types", {"e"}},
                {"conditions", {{{"field", "y"}, {"value", 1}}, {{"field", "y"}, {"ref", "A.y"}}}}}}}};
    for (int i = 1 + below(3); i > 0; --i) change(out);
    return out;
  }

private:
  void change(json& at) {
    if (!at.is_structured() || at.empty() || below(4) == 0) {
      at = value(3);
      return;
    }
    if (at.is_object() && below(4) == 0) {
      at.update(object(2));
      return;
    }
    auto member = at.begin();
    std::advance(member, below(static_cast<int>(at.size())));
    change(*member);
  }
  std::string word() {
    static const std::vector<std::string> words{
        "A", "B", "a.b",  "every",   "strict", "AND",   "OR",      "==", ">",      "in",   "rule",
        "",  ".", "x..y", "no_skip", "first",  "event", "arrival", "*",  "A.user", "\x01", "\xff\xfe"};
    return words[static_cast<std::size_t>(below(static_cast<int>(words.size())))];
  }
  std::string line() {
    static const std::vector<std::string> words{
        "A", "B{3}", "then", "->", "and", "or", "no", "not",   "within", "5m",           "by",       "user",
        ",", "(",    ")",    "{",  "}",   "x=", "=y", "every", "first",  "99999999999d", "A{1000,}", "\xc3\xa9"};
    std::string out;
    for (int i = below(12); i > 0; --i)
      out += words[static_cast<std::size_t>(below(static_cast<int>(words.size())))] + (below(6) ? " " : "");
    return out;
  }
  int below(int n) { return static_cast<int>(random_() % static_cast<std::uint64_t>(n)); }
  std::mt19937_64 random_;
};

} // namespace

CAF_TEST(nonsense is refused with a place and a sentence and what is accepted is accepted again) {
  const auto* given = std::getenv("TOBIT_TEST_SEED");
  const auto seed = given ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::cout << "seed " << seed << " (set TOBIT_TEST_SEED to repeat)" << std::endl;
  nonsense n{seed};
  int accepted = 0;
  for (int i = 0; i < 6'000; ++i) {
    const auto spec = i % 3 == 0   ? n.object(4)
                      : i % 3 == 1 ? json{{"pattern", n.value(0)}, {"where", n.value(3)}}
                                   : n.near_miss();
    const auto body = rule_with("pattern", spec);
    const auto compiled = compile(body);
    if (!compiled) {
      const auto& e = compiled.error();
      const bool in_place = e.pointer.starts_with("/trigger_spec") && e.message.size() > 10 && e.message.back() != ' ';
      if (!in_place || e.code == error_code::internal_server_error)
        CAF_FAIL(to_text(spec) << " is refused at '" << e.pointer << "': " << e.message);
      continue;
    }
    ++accepted;
    const auto again = compile(compiled->definition);
    if (!again)
      CAF_FAIL(to_text(spec) << " is not accepted again: " << again.error().pointer << " " << again.error().message);
    if (again->definition != compiled->definition) CAF_FAIL(to_text(spec) << " changes when it is read again");
    timeline t{compiled->definition["trigger_spec"]};
    for (const auto* type : {"a", "b", "c", "d", "e", "A", "B"}) t.take({type, static_cast<double>(i % 50)});
  }
  CAF_CHECK(accepted > 50);
}

CAF_TEST(one interest covers the events of all steps) {
  const auto interest = [](const json& spec) {
    const auto compiled = compile(rule_with("pattern", spec));
    return compiled->interests.at(0).spec.dump();
  };
  CAF_CHECK_EQUAL(interest({{"pattern", "A then B or C and no A within 1m"}}),
                  R"({"sources":[],"types":["A","B","C"]})");
  CAF_CHECK_EQUAL(
      interest({{"within_seconds", 1},
                {"steps",
                 {{{"types", "A"}, {"sources", "/x"}}, {{"sources", {"/y", "/x"}}, {"field", "a"}, {"value", 1}}}}}),
      R"({"sources":["/x","/y"],"types":[]})");
}

CAF_TEST(steps without names get letters) {
  const auto definition = normalised(
      {{"within_seconds", 1},
       {"steps",
        {{{"types", "x"}}, {{"types", "y"}, {"name", "C"}}, {{"any_of", {{{"types", "z"}}, {{"types", "w"}}}}}}}});
  CAF_CHECK_EQUAL(to_text(definition["trigger_spec"]["steps"]).find(R"("name":"A")") != std::string::npos, true);
  const auto members = definition["trigger_spec"]["steps"][2]["any_of"];
  CAF_CHECK_EQUAL(members[0]["name"].get<std::string>(), "B");
  CAF_CHECK_EQUAL(members[1]["name"].get<std::string>(), "D");
}
