#include "http/route/route_table.hpp"

#include <algorithm>
#include <cassert>
#include <map>

namespace tobit::http {

struct route_table::node {
  std::map<std::string, std::unique_ptr<node>, std::less<>> literal;
  std::unique_ptr<node> any;        ///< the segment is a parameter
  std::vector<const route*> routes; ///< one per method
};

namespace {

/// The names of a template's parameters, in order.
std::vector<std::string_view> parameter_names(std::string_view path) {
  std::vector<std::string_view> names;
  for (auto open = path.find('{'); open != std::string_view::npos; open = path.find('{', open + 1))
    names.push_back(path.substr(open + 1, path.find('}', open) - open - 1));
  return names;
}

std::string_view without_slashes(std::string_view path) {
  while (!path.empty() && path.front() == '/') path.remove_prefix(1);
  while (!path.empty() && path.back() == '/') path.remove_suffix(1);
  return path;
}

} // namespace

parameter in_path(std::string name, shape type) {
  return {std::move(name), std::move(type), parameter::place::path, true};
}
parameter in_query(std::string name, shape type) {
  return {std::move(name), std::move(type), parameter::place::query, false};
}
parameter in_header(std::string name, shape type) {
  return {std::move(name), std::move(type), parameter::place::header, false};
}

route_table::route_table() : root_(std::make_unique<node>()) {
  // nop
}
route_table::~route_table() = default;
route_table::route_table(route_table&&) noexcept = default;

void route_table::add(route entry) {
  auto* at = root_.get();
  auto rest = without_slashes(entry.path);
  while (!rest.empty()) {
    const auto segment = rest.substr(0, rest.find('/'));
    rest.remove_prefix(std::min(rest.size(), segment.size() + 1));
    auto& next = segment.starts_with('{') ? at->any : at->literal[std::string(segment)];
    if (!next) next = std::make_unique<node>();
    at = next.get();
  }
  for (auto name : parameter_names(entry.path)) {
    const auto declared = [&](const parameter& p) { return p.in == parameter::place::path && p.name == name; };
    assert(std::any_of(entry.parameters.begin(), entry.parameters.end(), declared));
    (void)declared;
  }
  assert(std::none_of(at->routes.begin(), at->routes.end(), [&](auto* r) { return r->method == entry.method; }));
  routes_.push_back(std::make_unique<route>(std::move(entry)));
  at->routes.push_back(routes_.back().get());
}

/// Depth first, literal before parameter; a dead end goes back to the parameter.
bool route_table::descend(const node& at, std::string_view rest, std::vector<std::string_view>& values,
                          const node*& found) {
  if (rest.empty()) {
    found = &at;
    return !at.routes.empty();
  }
  const auto segment = rest.substr(0, rest.find('/'));
  const auto after = rest.substr(std::min(rest.size(), segment.size() + 1));
  if (segment.empty()) return false;
  if (auto next = at.literal.find(segment); next != at.literal.end())
    if (descend(*next->second, after, values, found)) return true;
  if (!at.any) return false;
  values.push_back(segment);
  if (descend(*at.any, after, values, found)) return true;
  values.pop_back();
  return false;
}

const route_table::node* route_table::walk(std::string_view path, std::vector<std::string_view>& values) const {
  const node* found = nullptr;
  if (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  if (!path.empty() && path.front() == '/') path.remove_prefix(1);
  return descend(*root_, path, values, found) ? found : nullptr;
}

route_match route_table::find(std::string_view method, std::string_view path) const {
  route_match match;
  std::vector<std::string_view> values;
  const auto* at = walk(path, values);
  if (!at) return match;
  match.path_known = true;
  for (auto* candidate : at->routes)
    if (candidate->method == method || (method == "HEAD" && candidate->method == "GET")) match.found = candidate;
  if (!match.found) return match;
  const auto names = parameter_names(match.found->path);
  for (std::size_t i = 0; i < names.size(); ++i) match.path_values.emplace_back(names[i], std::string(values[i]));
  return match;
}

std::string route_table::allowed_methods(std::string_view path) const {
  std::vector<std::string_view> values;
  std::vector<std::string_view> methods{"OPTIONS"};
  if (const auto* at = walk(path, values))
    for (auto* r : at->routes) {
      methods.push_back(r->method);
      if (r->method == "GET") methods.push_back("HEAD");
    }
  std::sort(methods.begin(), methods.end());
  std::string out;
  for (auto method : methods) out += (out.empty() ? "" : ", ") + std::string(method);
  return out;
}

} // namespace tobit::http
