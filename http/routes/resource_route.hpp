#pragma once

#include "http/route/route.hpp"

#include <string>
#include <string_view>

namespace tobit::http {

/// Completes a route about a resource: it needs `permission` on it, and with `{<resource>_id}` in the path also that
/// parameter (of the shape `id`) and the error `not_found`.
route on_resource(route base, std::string permission, std::string_view resource, shape id = text(1, 100));

} // namespace tobit::http
