#pragma once

#include "actors/notify/secret_reference.hpp"
#include "runtime/outbound/http_client.hpp"
#include "schemas/ids.hpp"
#include "schemas/json.hpp"

#include <string_view>

namespace tobit::notify {

/// Largest definition of a channel, in bytes of its JSON.
inline constexpr std::size_t channel_definition_bytes_max = 128u << 10;

/// What a definition is checked against.
struct channel_rules {
  outbound::guard_options guard; ///< which addresses may be reached
  secret_access secrets;         ///< what references may point to
};

/// Checks a channel as users write it and gives its normalised form: every field present, defaults filled in.
/// Normalising the result again changes nothing. `before`: the current definition or null; then `body` may hold only
/// the fields that change; `config`, `rate_limit` and `templates` are replaced as a whole. Errors: validation_error,
/// address_refused, payload_too_large, with the JSON pointer of the field; a literal secret is refused and not
/// repeated.
result<json> normalise_channel(const entity_ref& ref, const json& body, const json* before, const channel_rules& rules);

/// True if an address is a password in itself: Slack's and Microsoft's webhooks, and those with a secret as parameter.
bool is_secret_address(std::string_view url);

} // namespace tobit::notify
