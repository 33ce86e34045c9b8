#pragma once

#include <tl/expected.hpp>
#include <yaml-cpp/yaml.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace tobit::config {

/// What keeps a text from being a YAML document, and where.
struct yaml_flaw {
  std::string where;   ///< `name:line:column`, or `name`
  std::string message; ///< a sentence without its subject
};

/// `name:line:column`, counted from 1; `first_line` is the number of the text's first line.
std::string yaml_place(const std::string& name, const YAML::Mark& mark, std::size_t first_line = 1);

/// Reads the one document of an untrusted text: UTF-8 without control characters, nothing after it. Never throws, and
/// ends on every input. An empty text gives a null node.
tl::expected<YAML::Node, yaml_flaw> read_yaml(std::string_view text, const std::string& name,
                                              std::size_t first_line = 1);

} // namespace tobit::config
