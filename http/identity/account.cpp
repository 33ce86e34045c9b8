#include "http/identity/account.hpp"

#include "http/codec/envelope.hpp"

#include <algorithm>

namespace tobit::http {

principal_id caller::principal() const {
  if (key) return principal_id{"key:" + key->id};
  return principal_id{user ? user->user_id : std::string("anonymous")};
}

permission_answer caller::may(const permission_question& asked, utc_time now) const {
  if (!user) return {false, "nobody is signed in", 0};
  if (key) {
    const auto covers = [&](const std::string& scope) { return scope_covers(scope, asked.permission); };
    if (std::none_of(key->scope.begin(), key->scope.end(), covers))
      return {false, "outside the scope of this API key", 0};
  }
  return resolve(user->rank, user->overrides, asked, now);
}

json to_json(const account& user) {
  return {{"id", user.user_id},
          {"username", user.username},
          {"email", user.email},
          {"role", to_string(user.rank)},
          {"tenant_id", user.tenant.value},
          {"is_active", user.active},
          {"created_at", time_or_null(user.created_at_us)},
          {"last_login_at", time_or_null(user.last_login_at_us)}};
}

} // namespace tobit::http
