#pragma once

#include "http/codec/shape.hpp"
#include "http/route/exchange.hpp"
#include "http/route/route.hpp"
#include "runtime/storage/statement.hpp"
#include "schemas/entity/entity_protocol.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace tobit::http {

struct route_deps;

/// The columns of a rule, in the order that `rule_of_row` expects: `entity e` joined with `definition d` of its
/// version.
#define TOBIT_RULE_COLUMNS                                                                                             \
  "e.entity_key, e.version, e.created_at, e.created_by, e.updated_at, e.quarantined_at, e.last_error, d.body"
#define TOBIT_RULE_TABLES                                                                                              \
  " FROM entity e JOIN definition d ON d.kind = e.kind AND d.tenant = e.tenant AND d.entity_key = e.entity_key"        \
  " AND d.version = e.version"

/// A rule as the contract §2.1 shows it: the definition, then rule_id, tenant_id, version, status, times, author.
json rule_of_row(const tenant_id& tenant, const std::vector<storage::value>& row);
/// The same from the answer to a change.
json rule_of_change(const entity_ref& ref, const entity::definition_live& live);

/// What of a rule is promised; and a rule as users write it (checked by the rule's own compile step).
shape rule_shape();
shape rule_definition_shape();

entity_ref rule_ref(const exchange& ex); ///< of the path parameter `rule_id`
parameter rule_id_parameter();

/// The version that `If-Match: "7"` or `?expected_version=7` asks for. Errors: validation_error.
result<std::optional<std::int64_t>> expected_version(const exchange& ex);
std::vector<parameter> version_parameters();

/// Answers with the rule that a change put live, its version as ETag.
void answer_rule_change(const exchange_ptr& ex, int status, const entity_ref& ref, const message& answer);

/// The same for a change: refuses with `conflict` if a file of the watched folder says what the rule is, unless
/// `?force=true` was sent.
void with_changeable_rule(const route_deps& deps, const exchange_ptr& ex,
                          std::function<void(std::int64_t version)> go_on);

/// Goes on with the current version of the path's rule, or refuses with `not_found`.
void with_rule_version(const route_deps& deps, const exchange_ptr& ex, std::function<void(std::int64_t version)> go_on);

} // namespace tobit::http
