#pragma once

#include "schemas/json.hpp"

#include <tl/expected.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

/// Definitions (rules, channels …) as people write them into files. One reader for the command line, the folder of
/// rules, the examples and the templates.
namespace tobit::config {

/// Most definitions in one text.
inline constexpr std::size_t definitions_max = 1'000'000;

/// Reads definitions written as JSON or YAML: one object, a list, `{rules: […]}` as `tobit rule list --json` prints it,
/// or several YAML documents between `---` lines. Untrusted; ends on every input. The failure says where and what.
tl::expected<std::vector<json>, std::string> read_definitions(std::string_view text, const std::string& name);

/// `name:line:column` of what a JSON pointer into definition `index` of the text leads to, or of the nearest thing
/// around it. Reads the text anew: for complaints only. Precondition: `read_definitions` took the text.
std::string definition_place(std::string_view text, const std::string& name, std::size_t index,
                             std::string_view pointer);

/// Line and column, from 1, of a byte.
std::string text_place(std::string_view text, std::size_t byte, const std::string& name);

} // namespace tobit::config
