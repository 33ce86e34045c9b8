#pragma once

#include "runtime/outbound/http_client.hpp"
#include "schemas/ids.hpp"
#include "schemas/json.hpp"

#include <string>

namespace tobit::rule {

/// Largest definition, in bytes of its JSON.
inline constexpr std::size_t definition_bytes_max = 256 * 1024;
inline constexpr std::size_t rule_name_length_max = 200;

/// Checks a rule as users write it and gives its normalised form: every top-level field present, defaults filled in.
/// Normalising the result again changes nothing.
///
/// `before`: the current definition or null; then `body` may hold only the fields that change (null: back to the
/// default). `trigger_spec` and `action_spec` are replaced as a whole; a `***` in them stands for the value that is
/// there (schemas/rule/rule_secrets.hpp). `time_zone`: of rules that name none. Errors: validation_error,
/// address_refused, payload_too_large, with the JSON pointer of the field.
result<json> normalise_rule(const entity_ref& ref, const json& body, const json* before,
                            const outbound::guard_options& guard, const std::string& time_zone);

} // namespace tobit::rule
