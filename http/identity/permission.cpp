#include "http/identity/permission.hpp"

#include <algorithm>
#include <array>

namespace tobit::http {

namespace {

// The contract's words for scopes that are not permissions, or that stand for more than one.
constexpr std::array<std::string_view, 11> scope_words{"api:read",   "api:write",    "api:delete", "api:execute",
                                                       "ci:read",    "ci:write",     "ci:delete",  "metric:read",
                                                       "graph:read", "history:read", "cep:write"};
constexpr std::array<std::string_view, 6> only_admin_deletes{"ci", "history", "cep", "document", "ui", "asset"};

template <class List>
bool holds(const List& list, std::string_view word) noexcept {
  return std::find(list.begin(), list.end(), word) != list.end();
}

std::string_view area_of(std::string_view permission) noexcept { return permission.substr(0, permission.find(':')); }
std::string_view verb_of(std::string_view permission) noexcept {
  const auto colon = permission.find(':');
  return colon == std::string_view::npos ? std::string_view{} : permission.substr(colon + 1);
}

bool developer_has(std::string_view area, std::string_view verb) noexcept {
  if (area == "user" || area == "audit") return false;
  if (area == "settings") return verb == "read";
  if (area == "screen") return verb == "create" || verb == "edit" || verb == "publish";
  return verb == "read" || verb == "create" || verb == "update" || verb == "execute" || verb == "upload";
}

} // namespace

const std::vector<std::string_view>& all_permissions() {
  static const std::vector<std::string_view> all{
      "api:read",        "api:create",      "api:update",      "api:delete",     "api:execute",     "api:export",
      "ci:read",         "ci:create",       "ci:update",       "ci:delete",      "ci:execute",      "ci:pause",
      "metric:read",     "metric:export",   "graph:read",      "graph:update",   "history:read",    "history:delete",
      "cep:read",        "cep:create",      "cep:update",      "cep:delete",     "cep:execute",     "document:read",
      "document:upload", "document:delete", "document:export", "ui:read",        "ui:create",       "ui:update",
      "ui:delete",       "screen:create",   "screen:edit",     "screen:publish", "screen:rollback", "screen:delete",
      "asset:read",      "asset:create",    "asset:update",    "asset:delete",   "settings:read",   "settings:update",
      "audit:read",      "audit:export",    "user:read",       "user:create",    "user:update",     "user:delete"};
  return all;
}

bool is_permission(std::string_view text) noexcept { return holds(all_permissions(), text); }

bool role_has(role rank, std::string_view permission) noexcept {
  const auto area = area_of(permission), verb = verb_of(permission);
  switch (rank) {
  case role::system:
  case role::admin:
    return true;
  case role::manager:
    return area != "user" && !(verb == "delete" && holds(only_admin_deletes, area));
  case role::developer:
    return developer_has(area, verb);
  case role::viewer:
    return verb == "read" && area != "user" && area != "audit" && area != "settings";
  case role::none:
    break;
  }
  return false;
}

std::vector<std::string_view> permissions_of(role rank) {
  std::vector<std::string_view> out;
  for (auto permission : all_permissions())
    if (role_has(rank, permission)) out.push_back(permission);
  return out;
}

permission_answer resolve(role rank, const std::vector<permission_override>& overrides,
                          const permission_question& asked, utc_time now) {
  const auto find = [&](std::string_view type, std::string_view id) -> const permission_override* {
    for (const auto& o : overrides)
      if (o.permission == asked.permission && o.resource_type == type && o.resource_id == id &&
          (o.expires_at_us == 0 || from_micros(o.expires_at_us) > now))
        return &o;
    return nullptr;
  };
  const auto answer = [](const permission_override& o, const char* reason) {
    return permission_answer{o.granted, std::string(reason) + (o.granted ? "" : " (denied)"), o.expires_at_us};
  };
  const auto area = area_of(asked.permission);
  if (!asked.resource_id.empty())
    for (auto type : {asked.resource_type, area})
      if (auto* o = find(type, asked.resource_id)) return answer(*o, "override for this resource");
  for (auto type : {asked.resource_type, area})
    if (auto* o = find(type, "")) return answer(*o, "override for this type of resource");
  return {role_has(rank, asked.permission), "default of the role " + std::string(to_string(rank)), 0};
}

bool is_scope(std::string_view text) noexcept { return text == "*" || holds(scope_words, text) || is_permission(text); }

bool scope_covers(std::string_view scope, std::string_view permission) noexcept {
  if (scope == "*" || scope == permission) return true;
  if (verb_of(scope) != "write" || area_of(scope) != area_of(permission)) return false;
  const auto verb = verb_of(permission);
  return verb != "read" && verb != "export" && !holds(scope_words, permission);
}

} // namespace tobit::http
