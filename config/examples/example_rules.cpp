#include "config/examples/example_rules.hpp"

#include "config/definition_text.hpp"
#include "config/examples/example_files.hpp"

namespace tobit::config {

namespace {

std::vector<example_rule> read_all() {
  std::vector<example_rule> all;
  for (const auto& [name, text] : example_files()) {
    // These files are part of the program and tested with it.
    auto body = std::move(read_definitions(text, std::string(name)).value().front());
    auto rule_id = body.at("rule_id").get<std::string>();
    all.push_back({std::string(name), std::move(rule_id), std::move(body)});
  }
  return all;
}

} // namespace

const std::vector<example_rule>& example_rules() {
  static const auto all = read_all();
  return all;
}

} // namespace tobit::config
