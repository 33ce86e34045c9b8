#pragma once

#include "http/route/exchange.hpp"
#include "schemas/json.hpp"

#include <cstdint>
#include <functional>
#include <optional>

namespace tobit::http {

struct route_deps;

/// The definition of the tenant's alerting as it is stored; version 0 with empty lists if there is none yet.
struct alerting_document {
  json body;
  std::int64_t version = 0;
};
void with_alerting(const route_deps& deps, const exchange_ptr& ex, std::function<void(alerting_document)> go_on);

/// Puts a changed document live. `edit` gets the present one and returns the fields that change, or an error; it is
/// asked again if somebody else changes it meanwhile. Refused if a file of the watched folder holds the document.
/// `expected`: refuse unless this is the version. `done` gets the document as it is then.
using alerting_edit = std::function<result<json>(const json& present)>;
void edit_alerting(const route_deps& deps, const exchange_ptr& ex, std::optional<std::int64_t> expected,
                   alerting_edit edit, std::function<void(const json& document, std::int64_t version)> done);

/// A notification without its secrets: header values, and the address if it holds a password or parameters.
json shown_notification(json notification);
json shown_alerting(json document);

} // namespace tobit::http
