#pragma once

#include "http/route/exchange.hpp"
#include "http/route/route.hpp"

#include <vector>

namespace tobit::http {

struct route_deps;

/// GET /cep/rules: filtered, sorted and paged by the database.
void list_rules(const route_deps& deps, const exchange_ptr& ex);
std::vector<parameter> rule_list_parameters();

} // namespace tobit::http
