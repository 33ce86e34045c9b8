#pragma once

#include "config/settings.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tobit::config {

/// Largest settings file that is read, in bytes.
inline constexpr std::size_t file_size_max = 1u << 20;
/// With this many problems a file is not read any further.
inline constexpr std::size_t problems_max = 100;

/// Where settings are looked for.
struct inputs {
  std::vector<std::pair<std::string, std::string>> environment; ///< all variables; only `TOBIT_…` are looked at
  std::vector<std::pair<setting, std::string>> flags;           ///< as given; the last of a kind wins
};

/// The variables of this process.
std::vector<std::pair<std::string, std::string>> process_environment();

/// Defaults < file < environment < flags. The file is the one that `--config` or `TOBIT_CONFIG` names, if any. An empty
/// variable counts as not set. The failure lists every problem at once.
tl::expected<settings, std::vector<problem>> load(const inputs& in);

/// Applies one YAML text to `into`. Keys are nested or dotted. `name` stands before line and column in the problems.
std::vector<problem> apply_yaml(std::string_view yaml, const std::string& name, settings& into);
/// The same for a file. Problems: also that it cannot be read, is not a file, is larger than `file_size_max`.
std::vector<problem> apply_file(const std::string& path, settings& into);

/// What is wrong between settings that are fine one by one.
std::vector<problem> contradictions(const settings& s);

} // namespace tobit::config
