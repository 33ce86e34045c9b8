#pragma once

#include <tl/expected.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tobit {

/// Everything that can go wrong, from one table (`schemas/errors.def`). Values are stable: stored and sent.
enum class error_code : std::uint16_t {
#define X(name, value, http_status, retryable, sentence) name = value,
#include "schemas/errors.def"
#undef X
};

/// What the table says about one code.
struct error_description {
  error_code code;
  std::string_view name;     ///< stable machine name as users see it, e.g. "VALIDATION_ERROR"
  int http_status;           ///< status of an HTTP answer
  bool retryable;            ///< the same request may succeed later without a change
  std::string_view sentence; ///< tells the user what to do
};

/// The row of `code`; unknown values give the row of `internal_server_error`.
const error_description& describe(error_code code) noexcept;

/// The table in its order, for documentation and tests.
const std::vector<error_description>& error_table();

/// A failure as a value. `message` is for the user and never holds internals or secrets; those go to the log.
struct [[nodiscard]] error {
  error_code code = error_code::internal_server_error;
  std::string message; ///< says what was attempted and what to do; empty: the table's sentence
  std::string pointer; ///< JSON pointer (RFC 6901) of the offending field of the request, or empty

  error() = default;
  error(error_code c, std::string text = {}, std::string at = {})
      : code(c), message(std::move(text)), pointer(std::move(at)) {}

  /// The message, or the table's sentence where there is none.
  std::string_view text() const noexcept { return message.empty() ? describe(code).sentence : message; }
  bool operator==(const error&) const = default;
};

/// A value or the error that prevented it. Used at every boundary that can fail; exceptions stay inside adapters.
template <class T>
using result = tl::expected<T, error>;

/// Shorthand for returning a failure: `return fail(error_code::not_found, "Rule x is not known.");`
inline tl::unexpected<error> fail(error_code code, std::string message = {}, std::string pointer = {}) {
  return tl::unexpected<error>(error{code, std::move(message), std::move(pointer)});
}
inline tl::unexpected<error> fail(error e) { return tl::unexpected<error>(std::move(e)); }

} // namespace tobit
