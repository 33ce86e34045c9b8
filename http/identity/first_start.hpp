#pragma once

#include "http/identity/secret.hpp"
#include "runtime/storage/database.hpp"
#include "runtime/time/clock.hpp"

#include <string>

namespace tobit::http {

/// The first administrator, if this call created one.
struct first_administrator {
  bool created = false;
  std::string username = "admin";
  std::string generated_password; ///< to be shown once; empty if the operator gave one
};

/// Creates the user `admin` of the tenant "default" unless there is any user. `password` empty: one is generated.
/// Waits for the database; for start-up. Errors: database_error, configuration_error (the password is too long).
result<first_administrator> bootstrap_admin(storage::database& store, const clock& time, const std::string& password,
                                            const password_cost& cost = password_cost::interactive());

/// The secret that access tokens are signed with: 256 random bits, made on the first start, shared by all nodes.
result<std::string> token_secret(storage::database& store);

/// Least (of new passwords) and greatest length of a password, in bytes. The operator's first one may be shorter.
inline constexpr std::size_t password_length_min = 8, password_length_max = 256;

} // namespace tobit::http
