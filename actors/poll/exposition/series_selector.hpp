#pragma once

#include "actors/poll/exposition/series.hpp"
#include "schemas/error.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace re2 {
class RE2;
}

namespace tobit::poll {

/// Which series are meant: `http_requests_total{code=~"5..", method!="GET"}`, an instant vector selector of PromQL
/// (https://prometheus.io/docs/prometheus/latest/querying/basics/#instant-vector-selectors) without offset and range.
/// Regular expressions are RE2's, anchored at both ends, linear in time. Copies share them; const calls are
/// thread-safe.
class series_selector {
public:
  /// Errors: validation_error that says what was expected and at which byte.
  static result<series_selector> parse(std::string_view text);

  bool matches(const series& one) const;
  /// The metric's name, if the selector asks for one by `=`; else empty. For skipping lines cheaply.
  const std::string& name() const noexcept { return name_; }

private:
  struct matcher {
    std::string label, value;
    bool negated = false;
    std::shared_ptr<const re2::RE2> pattern; ///< null: equality
  };
  std::string name_;
  std::vector<matcher> matchers_;
};

/// Longest selector and most matchers in it.
inline constexpr std::size_t selector_length_max = 2'000, selector_matchers_max = 30;

/// Reads what stands between double quotes, `at` behind the first one; leaves `at` behind the last. Escapes: \\ \" \n.
/// False if the text ends before.
bool read_quoted(std::string_view text, std::size_t& at, std::string& out);
/// The length of the name at `at`: letters, digits, underscores, colons, not a digit first. 0: none.
std::size_t name_length(std::string_view text, std::size_t at) noexcept;

} // namespace tobit::poll
