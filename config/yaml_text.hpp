#pragma once

#include "schemas/json.hpp"

#include <string>
#include <vector>

namespace tobit::config {

/// JSON as YAML that `read_definitions` reads back as the same: block style, texts quoted wherever they could be taken
/// for something else.
std::string to_yaml(const json& value);

/// Several definitions as documents between `---` lines.
std::string to_yaml_documents(const std::vector<json>& definitions);

} // namespace tobit::config
