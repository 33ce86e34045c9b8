#pragma once

#include "schemas/json.hpp"

#include <tl/expected.hpp>

#include <cstddef>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace tobit::cli {

/// Most definitions in one file.
inline constexpr std::size_t definitions_max = 1'000'000;
/// Largest file, in bytes.
inline constexpr std::size_t definition_file_max = 512u << 20;

/// Reads definitions written as JSON or YAML: one object, a list, `{rules: […]}` as `tobit rule list --json` prints it,
/// or several YAML documents between `---` lines. Untrusted; ends on every input. The failure says where and what.
tl::expected<std::vector<json>, std::string> read_definitions(std::string_view text, const std::string& name);

/// The whole file, or standard input for `-`. The failure is a sentence.
tl::expected<std::string, std::string> read_text(const std::string& path, std::istream& standard_input);

/// Line and column, from 1, of a byte.
std::string text_place(std::string_view text, std::size_t byte, const std::string& name);

} // namespace tobit::cli
