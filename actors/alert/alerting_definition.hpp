#pragma once

#include "runtime/outbound/http_client.hpp"
#include "schemas/ids.hpp"
#include "schemas/json.hpp"

namespace tobit::alert {

/// Largest definition, in bytes of its JSON.
inline constexpr std::size_t definition_bytes_max = 256 * 1024;
inline constexpr std::size_t notifications_max = 500, inhibitions_max = 200, escalations_max = 100, on_call_max = 100;

/// Checks the alerting of a tenant as users write it, {notifications, inhibitions, escalations, on_call}, and gives its
/// normalised form. `before`: the current definition or null; then `body` may hold only the lists that change. A `***`
/// stands for the secret that is there (header values, address of a webhook). Normalising the result again changes
/// nothing. Errors: validation_error, address_refused, payload_too_large with the JSON pointer of the field.
result<json> normalise_alerting(const json& body, const json* before, const outbound::guard_options& guard);

/// The alerting of a tenant that has not been given one: nobody is told except by rules' own channels.
json default_alerting();

} // namespace tobit::alert
