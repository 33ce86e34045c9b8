#include "http/routes/resource_route.hpp"

#include <utility>

namespace tobit::http {

route on_resource(route base, std::string permission, std::string_view resource, shape id) {
  const auto name = std::string(resource) + "_id";
  const bool one = base.path.find('{' + name + '}') != std::string::npos;
  base.needs = access::permitted(std::move(permission), std::string(resource), one ? name : "");
  if (!one) return base;
  base.parameters.push_back(in_path(name, std::move(id)));
  base.errors.push_back(error_code::not_found);
  return base;
}

} // namespace tobit::http
