#include "config/examples/example_rules.hpp"

#include "config/examples/example_files.hpp"

#include <yaml-cpp/yaml.h>

namespace tobit::config {

namespace {

/// These files are part of the program and tested with it: what they do not use need not be understood here.
json to_json(const YAML::Node& node) {
  if (node.IsSequence()) {
    auto list = json::array();
    for (const auto& item : node) list.push_back(to_json(item));
    return list;
  }
  if (node.IsMap()) {
    auto object = json::object();
    for (const auto& member : node) object[member.first.Scalar()] = to_json(member.second);
    return object;
  }
  const auto& text = node.Scalar();
  if (node.Tag() == "!") return text; // quoted
  if (text == "true" || text == "false") return text == "true";
  std::int64_t number = 0;
  return YAML::convert<std::int64_t>::decode(node, number) ? json(number) : json(text);
}

std::vector<example_rule> read_all() {
  std::vector<example_rule> all;
  for (const auto& [name, text] : example_files()) {
    auto body = to_json(YAML::Load(std::string(text)));
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
