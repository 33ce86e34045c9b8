#pragma once

#include "config/definition_text.hpp"

#include <tl/expected.hpp>

#include <cstddef>
#include <iosfwd>
#include <string>

namespace tobit::cli {

using config::read_definitions;

/// Largest file, in bytes.
inline constexpr std::size_t definition_file_max = 512u << 20;

/// The whole file, or standard input for `-`. The failure is a sentence.
tl::expected<std::string, std::string> read_text(const std::string& path, std::istream& standard_input);

} // namespace tobit::cli
