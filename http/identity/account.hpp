#pragma once

#include "http/identity/permission.hpp"
#include "schemas/call_context.hpp"
#include "schemas/ids.hpp"
#include "schemas/json.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tobit::http {

/// A user with everything that decides what they may do.
struct account {
  std::string user_id, username, email;
  tenant_id tenant;
  role rank = role::none;
  bool active = false;
  std::int64_t created_at_us = 0, last_login_at_us = 0;
  std::int64_t tokens_valid_from_us = 0; ///< access tokens issued up to then are revoked (logout, new password)
  std::vector<permission_override> overrides;
};

/// An API key as stored; the key itself is known to its owner only.
struct api_key {
  std::string id, owner_id, name, prefix;
  tenant_id tenant;
  std::vector<std::string> scope;
  bool active = false;
  std::int64_t created_at_us = 0, expires_at_us = 0, last_used_at_us = 0; ///< 0: never
};

/// Who sends a request. Without an account: nobody that we know.
struct caller {
  std::shared_ptr<const account> user;
  std::shared_ptr<const api_key> key; ///< null: signed in with an access token
  std::int64_t expires_at_us = 0;     ///< of the access token or key; 0: never

  explicit operator bool() const noexcept { return user != nullptr; }
  principal_id principal() const;

  /// The account's verdict, narrowed by the key's scopes.
  permission_answer may(const permission_question& asked, utc_time now) const;
};

/// The user as answers show it: no secrets.
json to_json(const account& user);

} // namespace tobit::http
