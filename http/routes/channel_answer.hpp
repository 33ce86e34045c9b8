#pragma once

#include "http/codec/shape.hpp"
#include "http/route/exchange.hpp"
#include "http/route/route.hpp"
#include "runtime/storage/statement.hpp"
#include "schemas/entity/entity_protocol.hpp"

#include <string>
#include <vector>

namespace tobit::http {

/// The columns of a channel, in the order that `channel_of_row` expects: `entity e` joined with `definition d` of its
/// version.
#define TOBIT_CHANNEL_COLUMNS                                                                                          \
  "e.entity_key, e.version, e.created_at, e.created_by, e.updated_at, e.quarantined_at, e.last_error, d.body"
#define TOBIT_CHANNEL_TABLES                                                                                           \
  " FROM entity e JOIN definition d ON d.kind = e.kind AND d.tenant = e.tenant AND d.entity_key = e.entity_key"        \
  " AND d.version = e.version"

/// A channel as answers show it: the definition, then channel_id, tenant_id, version, status, times, author. Secrets
/// are references and stand there as such.
json channel_of_row(const tenant_id& tenant, const std::vector<storage::value>& row);
/// The same from the answer to a change.
json channel_of_change(const entity_ref& ref, const entity::definition_live& live);

shape channel_shape();
entity_ref channel_ref(const exchange& ex); ///< of the path parameter `channel_id`

/// A route of the group "channels"; with `{channel_id}` in its path the parameter and `not_found` are added.
route channel_route(std::string method, std::string path, std::string operation, std::string summary,
                    std::string permission, route_handler handler);

} // namespace tobit::http
