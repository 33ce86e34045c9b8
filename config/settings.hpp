#pragma once

#include "config/formats.hpp"
#include "config/setting.hpp"
#include "schemas/error.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tobit::config {

/// Where a value comes from; later ones win.
enum class source : std::uint8_t { initial, file, environment, flag };
/// `default`, `file`, `env`, `flag`.
std::string_view to_string(source from) noexcept;

/// One thing that is wrong with the configuration.
struct problem {
  std::string where;   ///< `/etc/tobit.yaml:12:7`, `TOBIT_HTTP_ADDRESS`, `--http-address`
  std::string key;     ///< dotted key, or empty if it is the file itself
  std::string message; ///< what is wrong, what is allowed, what was probably meant; never a secret's value
};
/// `where: key: message`.
std::string to_string(const problem& p);

/// A checked value.
using value = std::variant<std::string, std::int64_t, bool, duration_value, std::vector<std::string>>;

/// Reads `text` as a value of `row`. The failure says why not, without the value of a secret:
/// "'soon' is not a duration such as …; allowed: 1s to 1h".
tl::expected<value, std::string> parse_value(const setting_description& row, std::string_view text);
/// The value as it would be written, whatever it is; secrets too.
std::string format_value(const setting_description& row, const value& v);

/// All settings of a node, checked. A value; cheap to read from any thread.
///
/// The getters fit the type in `settings.def`: asking with another one is a mistake of the program (throws
/// std::bad_variant_access).
class settings {
public:
  /// Defaults only.
  settings();

  const std::string& text(setting id) const { return std::get<std::string>(at(id)); } ///< also choices
  std::int64_t integer(setting id) const { return std::get<std::int64_t>(at(id)); }
  std::size_t count(setting id) const {
    return static_cast<std::size_t>(integer(id));
  } ///< integers that are never negative
  std::size_t size(setting id) const { return static_cast<std::size_t>(integer(id)); } ///< bytes
  bool boolean(setting id) const { return std::get<bool>(at(id)); }
  const std::vector<std::string>& list(setting id) const { return std::get<std::vector<std::string>>(at(id)); }
  template <class Duration = std::chrono::milliseconds>
  Duration duration(setting id) const {
    return std::chrono::duration_cast<Duration>(std::get<duration_value>(at(id)));
  }

  const value& at(setting id) const { return entries_[static_cast<std::size_t>(id)].content; }
  source source_of(setting id) const { return entries_[static_cast<std::size_t>(id)].from; }
  /// The exact place: file with line, variable or flag; empty for a default.
  const std::string& origin(setting id) const { return entries_[static_cast<std::size_t>(id)].origin; }
  /// The value for people's eyes: secrets and passwords in addresses are masked.
  std::string shown(setting id) const;
  /// Remarks that stop nothing, such as an environment variable that is probably misspelt.
  const std::vector<std::string>& warnings() const { return warnings_; }

  /// Sets a value from text. The failure is that of `parse_value`.
  tl::expected<void, std::string> set(setting id, std::string_view text, source from, std::string origin);
  void warn(std::string remark) { warnings_.push_back(std::move(remark)); }

  /// `data_dir` joined with a relative `path`; an absolute or empty one as it is.
  std::string in_data_dir(const std::string& path) const;

private:
  struct entry {
    value content;
    source from = source::initial;
    std::string origin;
  };
  std::vector<entry> entries_;
  std::vector<std::string> warnings_;
};

} // namespace tobit::config
