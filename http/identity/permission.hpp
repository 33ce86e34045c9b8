#pragma once

#include "schemas/call_context.hpp"
#include "schemas/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tobit::http {

/// All permissions, `area:verb`, in the order of the contract §7.3.
const std::vector<std::string_view>& all_permissions();
bool is_permission(std::string_view text) noexcept;

/// Whether a role has a permission where no override says otherwise:
/// admin: all. manager: all except user:* and the delete of ci, history, cep, document, ui and asset.
/// developer: read, create, update, execute (and document:upload, their create), screen create/edit/publish,
/// settings:read; viewer: read; both without settings (viewer), audit and user.
bool role_has(role rank, std::string_view permission) noexcept;
std::vector<std::string_view> permissions_of(role rank);

/// An exception to the role's default, for one user.
struct permission_override {
  std::string permission, resource_type, resource_id; ///< an empty id: every resource of the type
  bool granted = false;
  std::int64_t expires_at_us = 0; ///< 0: never
};

/// What is asked for.
struct permission_question {
  std::string_view permission;
  std::string_view resource_type; ///< e.g. "rule"; the permission's area is tried as a type as well
  std::string_view resource_id;
};

/// The verdict, and why.
struct permission_answer {
  bool granted = false;
  std::string reason;
  std::int64_t expires_at_us = 0; ///< of the override that decided; 0: never
};

/// Override for the exact resource, then for the type, then the role's default. Expired overrides do not count.
permission_answer resolve(role rank, const std::vector<permission_override>& overrides,
                          const permission_question& asked, utc_time now);

/// Scopes of API keys: `*`, the contract's words (`api:read`, `cep:write`, …), or any permission by its name.
bool is_scope(std::string_view text) noexcept;
/// Whether a scope covers a permission: itself, `*`, and `x:write` for every change in area x that has no scope word of
/// its own in the contract (so `cep:write` covers cep:create, update, delete and execute; `api:write` create and
/// update).
bool scope_covers(std::string_view scope, std::string_view permission) noexcept;

} // namespace tobit::http
