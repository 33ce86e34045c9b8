#pragma once

#include "http/identity/account.hpp"
#include "runtime/storage/database.hpp"

#include <functional>
#include <memory>
#include <string>

namespace tobit::http {

/// Reads a user with overrides and revocations. Errors: unauthenticated (unknown), database_error.
void load_account(storage::database& store, const std::string& user_id,
                  std::function<void(result<std::shared_ptr<const account>>)> done);

/// Reads an API key by its hash. Errors: unauthenticated (unknown), database_error.
void load_api_key(storage::database& store, const std::string& hash,
                  std::function<void(result<std::shared_ptr<const api_key>>)> done);

/// The columns of an API key, in the order that `read_api_key` expects.
#define TOBIT_API_KEY_COLUMNS                                                                                          \
  "id, tenant, owner_id, name, key_prefix, scope, is_active, created_at, expires_at, last_used_at"
api_key read_api_key(const std::vector<storage::value>& row);
/// As answers show it.
json to_json(const api_key& key);

} // namespace tobit::http
