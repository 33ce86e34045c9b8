#pragma once

#include "http/codec/shape.hpp"
#include "schemas/error.hpp"
#include "schemas/json.hpp"

namespace tobit::http {

/// The rule form of the contract §2.6, as the console sends it.
shape form_shape();

/// The rule that a checked form means: the composite condition folded into `trigger_spec`, one action as it is and
/// several as `multi_action`. Errors: validation_error with the pointer into the form.
result<json> fold_form(const json& form);

} // namespace tobit::http
