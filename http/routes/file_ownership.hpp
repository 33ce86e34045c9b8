#pragma once

#include "http/route/exchange.hpp"
#include "http/route/route.hpp"
#include "schemas/ids.hpp"

#include <functional>
#include <string_view>

namespace tobit::http {

struct route_deps;

/// `?force=true` of changes to what a file of the watched folder defines.
parameter force_parameter();

/// Goes on unless a file of the watched folder says what `ref` is; then refuses with `conflict` and the file's name,
/// unless `?force=true` was sent. `what` is the word for people: "rule", "channel".
void unless_file_owns(const route_deps& deps, const exchange_ptr& ex, const entity_ref& ref, std::string_view what,
                      std::function<void()> go_on);

} // namespace tobit::http
