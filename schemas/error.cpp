#include "schemas/error.hpp"

#include <algorithm>
#include <cctype>

namespace tobit {

namespace {

// The contract's error names are the table's names in capitals.
#define X(name, value, http_status, retryable, sentence) #name,
constexpr const char* lower_names[] = {
#include "schemas/errors.def"
};
#undef X

std::vector<std::string> capital_names() {
  std::vector<std::string> names;
  for (std::string name : lower_names) {
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    names.push_back(std::move(name));
  }
  return names;
}

std::vector<error_description> build_table() {
  static const std::vector<std::string> names = capital_names();
  std::vector<error_description> table;
  std::size_t row = 0;
#define X(name, value, http_status, retryable, sentence)                                                               \
  table.push_back({error_code::name, names[row++], http_status, retryable, sentence});
#include "schemas/errors.def"
#undef X
  return table;
}

} // namespace

const std::vector<error_description>& error_table() {
  static const std::vector<error_description> table = build_table();
  return table;
}

const error_description& describe(error_code code) noexcept {
  const auto& table = error_table();
  auto row = std::find_if(table.begin(), table.end(), [code](const auto& entry) { return entry.code == code; });
  if (row == table.end()) return describe(error_code::internal_server_error);
  return *row;
}

} // namespace tobit
