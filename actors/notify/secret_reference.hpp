#pragma once

#include "schemas/error.hpp"

#include <string>
#include <string_view>
#include <vector>

/// Secrets as users name them in definitions: a reference that says where the secret stands, never the secret itself.
namespace tobit::notify {

/// What references may point to. Whoever may save a definition could otherwise read any variable or file of the node by
/// sending it somewhere; so only places that the operator set aside for this are read.
struct secret_access {
  std::vector<std::string> env_prefixes; ///< names of variables begin with one of these, e.g. "TOBIT_SECRET_"
  std::vector<std::string> folders;      ///< absolute; files stand in them or below, also after following links
};

/// Largest secret, in bytes.
inline constexpr std::size_t secret_bytes_max = 64u << 10;

/// True if `text` has the form of a reference, `env:…` or `file:…`, allowed or not.
bool is_secret_reference(std::string_view text) noexcept;

/// Checks a reference without reading the secret, which may be set up later: its form, and that it points to an allowed
/// place. Errors: validation_error with a sentence; the text itself is not repeated unless it is a reference, for it
/// may be a secret.
result<void> check_secret_reference(std::string_view text, const secret_access& allowed);

/// The secret that the reference points to now, without the line break at its end. Reads a small file or a variable; to
/// be called when the secret is needed, the result to be forgotten afterwards. Errors: those of
/// `check_secret_reference`; configuration_error if there is nothing, or it cannot be read or is empty, too large, or
/// holds a zero byte.
result<std::string> resolve_secret(std::string_view text, const secret_access& allowed);

} // namespace tobit::notify
