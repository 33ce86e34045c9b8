#pragma once

#include "schemas/json.hpp"

#include <string>
#include <string_view>

namespace tobit {

/// What stands where a secret was.
inline constexpr std::string_view redacted = "***";

/// Whether a field, header or parameter of this name holds a secret: its name contains password, secret, token,
/// authorization, cookie, credential, api key or private key, in any case, with `_`, `-` or nothing between.
bool is_secret_name(std::string_view name) noexcept;

/// `text` without the secrets that can be recognised: passwords in URLs (`scheme://user:password@`), `Bearer …` and
/// `Basic …`, API keys (`sk_…`), and the value after a secret name (`password=…`, `"token": "…"`, `api_key: …`).
/// For log lines and messages; linear in the length.
std::string redact_secrets(std::string_view text);

/// HTTP headers that say how something is sent and never hold a secret: Accept, Content-Type, User-Agent and the like.
bool is_plain_header(std::string_view name) noexcept;

/// A document as the audit and others may show it: texts under secret names, and those of `headers` objects unless the
/// header is plain, are `***`.
json redact_document(json document);

} // namespace tobit
