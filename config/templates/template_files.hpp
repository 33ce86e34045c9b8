#pragma once

#include <string_view>
#include <utility>
#include <vector>

namespace tobit::config {

/// The templates as they are written in this folder: name and YAML.
const std::vector<std::pair<std::string_view, std::string_view>>& template_files();

} // namespace tobit::config
