#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What can be set. The table is `config/settings.def`; `docs/reference/settings.md` is made from it.
namespace tobit::config {

/// Names a setting in code: `setting::http_address`.
enum class setting : std::uint8_t {
#define X(identifier, key, type, initial, limits, unit, flags, description, reason) identifier,
#include "config/settings.def"
#undef X
};

enum class setting_type : std::uint8_t { text, integer, boolean, duration, size, list, choice };
std::string_view to_string(setting_type type) noexcept;

/// One row of the table.
struct setting_description {
  setting id;
  std::string_view key; ///< dotted, as in the file: `http.address`
  setting_type type;
  std::string_view initial; ///< the default as text
  std::string_view limits;  ///< `1..65535`, `a|b|c` or a format; empty: anything
  std::string_view unit;    ///< of an integer
  bool restart;             ///< read at start only
  bool secret;              ///< never shown
  bool operation;           ///< an administrator may publish it at runtime
  std::string_view description;
  std::string_view reason;

  std::string variable;       ///< `TOBIT_HTTP_ADDRESS`
  std::string flag;           ///< `--http-address`
  std::string operation_name; ///< `cep_enable_metric_polling`: the name in the contract's operation settings
};

/// All settings in the order of the reference page.
const std::vector<setting_description>& setting_table();
const setting_description& describe(setting id) noexcept;

/// The setting with this key. Also finds variables' and operation names' spelling (`_` for `.`).
const setting_description* find_setting(std::string_view key) noexcept;

/// The known word that `word` most likely was meant to be, or nothing if none is close.
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& known);

/// The limits in words for people: "1 to 65535 threads", "debug, info, warning or error", "host:port, e.g.
/// 0.0.0.0:8000".
std::string limits_in_words(const setting_description& row);

} // namespace tobit::config
