#pragma once

#include "http/route/route_table.hpp"
#include "schemas/json.hpp"

#include <string>

namespace tobit::http {

/// The OpenAPI 3.1 document of a route table (https://spec.openapis.org/oas/v3.1.0).
json write_openapi(const route_table& table, const std::string& version);

/// Who may call a route, in words: "permission cep:read", "role manager", "anybody".
std::string access_in_words(const access& needs);

} // namespace tobit::http
