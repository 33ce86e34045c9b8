#include "http/identity/first_start.hpp"

#include "http/identity/audit.hpp"

namespace tobit::http {

using namespace storage;

result<first_administrator> bootstrap_admin(database& store, const clock& time, const std::string& password,
                                            const password_cost& cost) {
  if (!start_cryptography())
    return fail(error_code::configuration_error, "libsodium cannot be started on this machine.");
  auto users = store.read_and_wait({"SELECT id FROM app_user LIMIT 1", {}});
  if (!users) return fail(users.error());
  first_administrator admin;
  if (!users->empty()) return admin;
  if (password.size() > password_length_max)
    return fail(error_code::configuration_error, "The administrator's password (TOBIT_ADMIN_PASSWORD) has at most " +
                                                     std::to_string(password_length_max) + " bytes.");
  if (password.empty()) admin.generated_password = random_password();
  const auto hashed = hash_password(password.empty() ? admin.generated_password : password, cost);
  if (hashed.empty()) return fail(error_code::configuration_error, "There is not enough memory to hash a password.");
  const auto id = new_uuid();
  const auto now = time.now();
  const auto context = new_call(system_identity(tenant_id{"default"}));
  auto written = store.write_and_wait(
      {{{"INSERT INTO app_user (id, username, password_hash, role, tenant, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
         {id, admin.username, hashed, std::string("admin"), std::string("default"), to_micros(now)},
         1},
        audit_row(
            context,
            {"create", "user", id, json::object(), {{"username", admin.username}, {"role", "admin"}}, json::object()},
            now)}});
  if (!written) {
    // Another node that starts at the same time was first.
    if (written.error().code == error_code::conflict) return first_administrator{};
    return fail(written.error());
  }
  admin.created = true;
  return admin;
}

result<std::string> token_secret(database& store) {
  if (!start_cryptography())
    return fail(error_code::configuration_error, "libsodium cannot be started on this machine.");
  auto written =
      store.write_and_wait({{{"INSERT INTO cluster_value (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
                              {std::string("auth.token_secret"), random_base64url(32)},
                              std::nullopt}}});
  if (!written) return fail(written.error());
  auto stored =
      store.read_and_wait({"SELECT value FROM cluster_value WHERE name = $1", {std::string("auth.token_secret")}});
  if (!stored) return fail(stored.error());
  if (stored->empty()) return fail(error_code::database_error, "The secret for access tokens is missing.");
  return as_text((*stored)[0][0]);
}

} // namespace tobit::http
