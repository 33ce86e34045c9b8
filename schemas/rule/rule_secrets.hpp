#pragma once

#include "schemas/json.hpp"

namespace tobit::rule {

/// The definition as answers, logs and the audit show it: the values of headers and of parameters with telling names
/// are
/// `***`. Whoever answers with a definition of a rule sends it through here.
json without_secrets(json definition);

/// The way back, for a definition that was read, changed and sent again: where `body` holds `***` it takes the value
/// that `before` has at the same place, if the endpoint there is the same (else a secret could be sent somewhere new).
json with_secrets_of(json body, const json& before);

} // namespace tobit::rule
