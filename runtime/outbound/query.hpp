#pragma once

#include "schemas/json.hpp"

#include <string>

namespace tobit::outbound {

/// A value as it stands in a query or a header: a text as it is, null as nothing, everything else as compact JSON.
std::string plain_text(const json& value);

/// The URL with the members of the object `params` as further query parameters, percent-encoded (RFC 3986: all but
/// unreserved characters); a list gives one parameter per element. A fragment is dropped: it is never sent.
std::string with_query(std::string url, const json& params);

} // namespace tobit::outbound
