#define CAF_SUITE rule_guide

#include "tests/unit/rule/rule_samples.hpp"

#include <caf/test/unit_test.hpp>

#include <fstream>
#include <sstream>

using namespace tobit;
using namespace tobit::rule;

namespace {

/// A fenced block of the guide: "json rule", "json fires", "json silent", "json refused /pointer".
struct block {
  std::string kind, text;
  int line = 0;
};

std::vector<block> blocks_of_guide() {
  std::ifstream guide{TOBIT_RULE_GUIDE};
  std::vector<block> out;
  bool inside = false;
  int number = 0;
  for (std::string line; std::getline(guide, line);) {
    ++number;
    if (line.starts_with("```") && !inside)
      out.push_back({line.substr(3), "", number}), inside = true;
    else if (line.starts_with("```"))
      inside = false;
    else if (inside)
      out.back().text += line + "\n";
  }
  return out;
}

} // namespace

CAF_TEST(every rule of the guide does what the guide says) {
  std::optional<samples::bench> rule;
  std::size_t rules = 0, verdicts = 0;
  for (const auto& b : blocks_of_guide()) {
    if (!b.kind.starts_with("json")) continue;
    const auto body = parse_json(b.text);
    if (!body) {
      CAF_ERROR("line " << b.line << " is not JSON");
    } else if (b.kind == "json rule") {
      ++rules;
      const auto compiled = samples::compile(*body);
      if (!compiled)
        CAF_FAIL("line " << b.line << ": " << compiled.error().pointer << ": " << compiled.error().message);
      rule.emplace(*body);
    } else if (b.kind == "json fires" || b.kind == "json silent") {
      ++verdicts;
      const auto simulation = rule->ask<rule_simulated>(simulate_rule{*body, "guide"}).simulation;
      const bool fires = simulation["condition_evaluated"];
      if (fires != (b.kind == "json fires")) CAF_ERROR("line " << b.line << ": " << simulation["references"]);
    } else if (b.kind.starts_with("json refused ")) {
      const auto compiled = samples::compile(*body);
      if (compiled || compiled.error().pointer != b.kind.substr(13))
        CAF_ERROR("line " << b.line << " is not refused there");
    }
  }
  CAF_CHECK(rules >= 6 && verdicts >= 8);
}
