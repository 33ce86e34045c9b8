#define CAF_SUITE pattern_guide

#include "tests/unit/rule/pattern/pattern_samples.hpp"

#include <caf/test/unit_test.hpp>

#include <fstream>
#include <sstream>

using namespace tobit;
using namespace tobit::rule;
using namespace tobit::rule::pattern;
using namespace tobit::rule::pattern::samples;

namespace {

std::string trimmed(std::string text) {
  const auto is_rim = [](char c) { return c == ' ' || c == '`'; };
  while (!text.empty() && is_rim(text.back())) text.pop_back();
  const auto first = std::find_if_not(text.begin(), text.end(), is_rim);
  return {first, text.end()};
}

/// The cells of a row "| a | b |"; a bar inside backticks is no border.
std::vector<std::string> cells(const std::string& line) {
  std::vector<std::string> out;
  std::string cell;
  bool code = false;
  for (std::size_t i = 1; i < line.size(); ++i) {
    if (line[i] == '`') code = !code;
    if (line[i] == '|' && !code) {
      out.push_back(trimmed(cell));
      cell.clear();
    } else {
      cell += line[i];
    }
  }
  return out;
}

/// "x:A@3(v=5)": key x, type A, 3 seconds, {"v": 5}.
moment read_moment(std::string text) {
  moment m;
  if (const auto open = text.find('('); open != std::string::npos) {
    std::istringstream members{text.substr(open + 1, text.size() - open - 2)};
    for (std::string one; std::getline(members, one, ',');) {
      const auto value = one.substr(one.find('=') + 1);
      m.data[one.substr(0, one.find('='))] = json::accept(value) ? json::parse(value) : json(value);
    }
    text.erase(open);
  }
  const auto at = text.find('@');
  m.at = std::stod(text.substr(at + 1));
  text.erase(at);
  if (const auto colon = text.find(':'); colon != std::string::npos) {
    m.key = text.substr(0, colon);
    text.erase(0, colon + 1);
  }
  m.type = text;
  return m;
}

} // namespace

CAF_TEST(every example of the guide gives the matches that stand beside it) {
  std::ifstream guide{TOBIT_PATTERN_GUIDE};
  std::size_t examples = 0;
  int number = 0;
  for (std::string line; std::getline(guide, line);) {
    ++number;
    const auto row = line.starts_with("| `") ? cells(line) : std::vector<std::string>{};
    if (row.size() != 4 || row[1].find('@') == std::string::npos) continue;
    ++examples;
    json spec{{"pattern", row[0]}};
    if (!row[3].empty()) spec.update(json::parse(row[3]));
    try {
      timeline t{spec};
      std::istringstream events{row[1]};
      for (std::string one; events >> one;) t.take(read_moment(one));
      t.advance(100'000);
      std::string found;
      for (const auto& verdict : t.verdicts) found += (found.empty() ? "" : "; ") + told(verdict);
      const auto expected = row[2] == "–" ? std::string{} : row[2];
      if (found != expected)
        CAF_ERROR("line " << number << ": " << row[0] << " gives '" << found << "', not '" << expected << "'");
    } catch (const std::exception& e) {
      CAF_ERROR("line " << number << ": " << e.what());
    }
  }
  CAF_CHECK(examples >= 40);
}

CAF_TEST(every rule of the guide is accepted and does what stands beside it) {
  std::ifstream guide{TOBIT_PATTERN_GUIDE};
  std::string text, kind;
  std::optional<rule::samples::bench> tried;
  int rules = 0, tries = 0;
  for (std::string line; std::getline(guide, line);) {
    if (line.starts_with("```json ")) {
      kind = line.substr(8);
      text.clear();
    } else if (line.starts_with("```") && !kind.empty()) {
      const auto body = parse_json(text);
      if (!body) CAF_FAIL("not JSON: " << text);
      if (kind == "rule") {
        ++rules;
        if (const auto compiled = compile(*body); !compiled)
          CAF_FAIL(compiled.error().pointer << ": " << compiled.error().message << "\n" << text);
        tried.emplace(*body);
      } else if (kind == "fires" || kind == "silent") {
        ++tries;
        const auto simulation = tried->ask<rule_simulated>(simulate_rule{*body, "guide"}).simulation;
        if (simulation["condition_evaluated"].get<bool>() != (kind == "fires"))
          CAF_ERROR(text << simulation["references"].dump(1));
      } else if (kind.starts_with("refused ")) {
        const auto compiled = compile(*body);
        if (compiled || compiled.error().pointer != kind.substr(8)) CAF_ERROR("not refused there: " << text);
      }
      kind.clear();
    } else {
      text += line + "\n";
    }
  }
  CAF_CHECK(rules >= 2 && tries >= 2);
}
