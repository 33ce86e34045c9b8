#include "config/load.hpp"

#include <algorithm>
#include <array>
#include <unistd.h>

namespace tobit::config {

namespace {

/// Variables with our prefix that are no settings of a node: the command line's and the build's.
constexpr std::array<std::string_view, 9> other_variables{
    "TOBIT_URL",      "TOBIT_TOKEN", "TOBIT_API_KEY",           "TOBIT_USER",     "TOBIT_HOME",
    "TOBIT_PASSWORD", "TOBIT_JOBS",  "TOBIT_TEST_DATABASE_URL", "TOBIT_BUILD_DIR"};

/// Secrets that definitions refer to (secrets.env_prefixes).
constexpr std::string_view secret_prefix = "TOBIT_SECRET_";

const setting_description* setting_of_variable(std::string_view name) noexcept {
  for (const auto& row : setting_table())
    if (row.variable == name) return &row;
  return nullptr;
}

void note_unknown_variable(std::string_view name, settings& into) {
  if (std::find(other_variables.begin(), other_variables.end(), name) != other_variables.end()) return;
  if (name.starts_with(secret_prefix)) return;
  std::vector<std::string> known;
  for (const auto& row : setting_table()) known.push_back(row.variable);
  std::string remark =
      "The environment variable " + std::string(name.substr(0, 100)) + " is not known and has no effect";
  if (const auto meant = nearest(name, known))
    remark += "; did you mean " + *meant + "?";
  else
    remark += "; `tobit config list` shows all.";
  into.warn(std::move(remark));
}

std::vector<problem> apply_environment(const inputs& in, settings& into) {
  std::vector<problem> problems;
  for (const auto& [name, text] : in.environment) {
    if (name.rfind("TOBIT_", 0) != 0 || text.empty()) continue;
    const auto* row = setting_of_variable(name);
    if (!row) {
      note_unknown_variable(name, into);
      continue;
    }
    if (auto done = into.set(row->id, text, source::environment, name); !done)
      problems.push_back({name, std::string(row->key), std::move(done.error())});
  }
  return problems;
}

std::vector<problem> apply_flags(const inputs& in, settings& into) {
  std::vector<problem> problems;
  for (const auto& [id, text] : in.flags) {
    const auto& row = describe(id);
    if (auto done = into.set(id, text, source::flag, row.flag); !done)
      problems.push_back({row.flag, std::string(row.key), std::move(done.error())});
  }
  return problems;
}

/// The file's name comes from flags or environment, before the file is read.
std::string configured_file(const inputs& in) {
  std::string path;
  for (const auto& [name, text] : in.environment)
    if (name == describe(setting::config).variable) path = text;
  for (const auto& [id, text] : in.flags)
    if (id == setting::config) path = text;
  return path;
}

void append(std::vector<problem>& to, std::vector<problem> more) {
  std::move(more.begin(), more.end(), std::back_inserter(to));
}

} // namespace

std::vector<std::pair<std::string, std::string>> process_environment() {
  std::vector<std::pair<std::string, std::string>> out;
  for (char** entry = environ; entry && *entry; ++entry) {
    const std::string_view text(*entry);
    const auto equals = text.find('=');
    if (equals != std::string_view::npos) out.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return out;
}

tl::expected<settings, std::vector<problem>> load(const inputs& in) {
  settings out;
  std::vector<problem> problems;
  if (const auto path = configured_file(in); !path.empty()) append(problems, apply_file(path, out));
  append(problems, apply_environment(in, out));
  append(problems, apply_flags(in, out));
  if (problems.empty()) append(problems, contradictions(out));
  if (!problems.empty()) return tl::unexpected<std::vector<problem>>(std::move(problems));
  return out;
}

} // namespace tobit::config
