#include "http/routes/rule_list.hpp"

#include "http/routes/paging.hpp"
#include "http/routes/route_deps.hpp"
#include "http/routes/rule_answer.hpp"

#include <limits>

namespace tobit::http {

using namespace storage;

namespace {

// $1 tenant, $2 and $3 the place, $4 trigger type, $5 active, $6 part of the name, $7 limit, $8 offset.
#define TOBIT_RULE_FILTER                                                                                              \
  " WHERE e.kind = 'rule' AND e.tenant = $1 AND e.deleted_at IS NULL"                                                  \
  " AND (CAST($4 AS TEXT) = '' OR e.label = $4) AND (CAST($5 AS BIGINT) < 0 OR e.enabled = $5)"                        \
  " AND LOWER(e.name) LIKE $6 ESCAPE '\\'"
#define TOBIT_RULE_PAGE " LIMIT CAST($7 AS BIGINT) OFFSET CAST($8 AS BIGINT)"

/// One order of the list: its statement, where it begins, and the column that a cursor holds.
struct list_order {
  std::string_view name, sql;
  std::size_t column; ///< of the rows read
  bool by_time;
};

constexpr list_order orders[] = {
    {"updated",
     "SELECT " TOBIT_RULE_COLUMNS ", e.name" TOBIT_RULE_TABLES TOBIT_RULE_FILTER
     " AND (e.updated_at, e.entity_key) < (CAST($2 AS BIGINT), CAST($3 AS TEXT))"
     " ORDER BY e.updated_at DESC, e.entity_key DESC" TOBIT_RULE_PAGE,
     4, true},
    {"created",
     "SELECT " TOBIT_RULE_COLUMNS ", e.name" TOBIT_RULE_TABLES TOBIT_RULE_FILTER
     " AND (e.created_at, e.entity_key) < (CAST($2 AS BIGINT), CAST($3 AS TEXT))"
     " ORDER BY e.created_at DESC, e.entity_key DESC" TOBIT_RULE_PAGE,
     2, true},
    {"name",
     "SELECT " TOBIT_RULE_COLUMNS ", e.name" TOBIT_RULE_TABLES TOBIT_RULE_FILTER
     " AND (e.name, e.entity_key) > (CAST($2 AS TEXT), CAST($3 AS TEXT))"
     " ORDER BY e.name, e.entity_key" TOBIT_RULE_PAGE,
     8, false},
};

const list_order& order_of(const exchange& ex) {
  for (const auto& order : orders)
    if (order.name == ex.text("sort")) return order;
  return orders[0];
}

/// Where the page begins: [value of the order's column, rule id].
result<std::pair<value, value>> begin_of(const exchange& ex, const list_order& order) {
  const auto& cursor = ex.text("cursor");
  if (cursor.empty())
    return order.by_time ? std::pair<value, value>{std::numeric_limits<std::int64_t>::max(), std::string("\x7f")}
                         : std::pair<value, value>{std::string{}, std::string{}};
  auto place = read_cursor(cursor, 2);
  if (!place) return fail(place.error());
  const auto& first = (*place)[0];
  const bool fits = (*place)[1].is_string() && (order.by_time ? first.is_number_integer() : first.is_string());
  if (!fits) return fail(error_code::validation_error, "The parameter 'cursor' belongs to another order of this list.");
  const auto key = (*place)[1].get<std::string>();
  if (order.by_time) return std::pair<value, value>{first.get<std::int64_t>(), key};
  return std::pair<value, value>{first.get<std::string>(), key};
}

json cursor_after(const rows& found, const list_order& order, std::int64_t limit) {
  if (static_cast<std::int64_t>(found.size()) < limit) return nullptr;
  const auto& last = found.values.back();
  const auto& at = last[order.column];
  return write_cursor({order.by_time ? json(as_int(at)) : json(as_text(at)), as_text(last[0])});
}

} // namespace

std::vector<parameter> rule_list_parameters() {
  auto all = paging_parameters(200, 1'000);
  all.push_back(in_query("sort", choice({"updated", "created", "name"}).or_else("updated")));
  all.push_back(in_query("trigger_type", choice({"schedule", "metric", "event", "anomaly", "pattern"})));
  all.push_back(in_query("is_active", flag()));
  all.push_back(in_query("q", text(0, 200).described("Part of the name.")));
  return all;
}

void list_rules(const route_deps& deps, const exchange_ptr& ex) {
  const auto& order = order_of(*ex);
  auto begin = begin_of(*ex, order);
  if (!begin) return ex->refuse(begin.error());
  const auto tenant = ex->tenant().value, type = ex->text("trigger_type"), part = like_pattern(ex->text("q"));
  const auto active = ex->whole("is_active", -1), limit = ex->whole("limit"), offset = ex->whole("offset");
  deps.store->read({order.sql, {tenant, begin->first, begin->second, type, active, part, limit, offset}},
                   ex->then([deps, ex, &order, tenant, type, active, part, limit, offset](const rows& found) {
                     json rules = json::array();
                     for (const auto& row : found.values) rules.push_back(rule_of_row(ex->tenant(), row));
                     json metadata{{"limit", limit},
                                   {"offset", offset},
                                   {"returned", found.size()},
                                   {"next_cursor", cursor_after(found, order, limit)}};
                     deps.store->read(
                         {"SELECT COUNT(*) FROM entity e WHERE e.kind = 'rule' AND e.tenant = $1"
                          " AND e.deleted_at IS NULL AND (CAST($2 AS TEXT) = '' OR e.label = $2)"
                          " AND (CAST($3 AS BIGINT) < 0 OR e.enabled = $3) AND LOWER(e.name) LIKE $4 ESCAPE '\\'",
                          {tenant, type, active, part}},
                         ex->then([ex, rules = std::move(rules), metadata](const rows& count) mutable {
                           metadata["total"] = as_int(count[0][0]);
                           ex->ok({{"rules", std::move(rules)}}, metadata);
                         }));
                   }));
}

} // namespace tobit::http
