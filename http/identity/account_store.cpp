#include "http/identity/account_store.hpp"

#include "http/codec/envelope.hpp"

namespace tobit::http {

using namespace storage;

namespace {

account read_account(const rows& found) {
  account user;
  const auto& first = found[0];
  user.user_id = as_text(first[0]);
  user.username = as_text(first[1]);
  user.email = as_text(first[2]);
  user.rank = parse_role(as_text(first[3])).value_or(role::none);
  user.tenant = tenant_id{as_text(first[4])};
  user.active = as_int(first[5]) != 0;
  user.created_at_us = as_int(first[6]);
  user.last_login_at_us = as_int(first[7]);
  user.tokens_valid_from_us = as_int(first[8]);
  for (const auto& row : found.values) {
    if (is_null(row[9])) continue;
    user.overrides.push_back(
        {as_text(row[9]), as_text(row[10]), as_text(row[11]), as_int(row[12]) != 0, as_int(row[13])});
  }
  return user;
}

} // namespace

void load_account(database& store, const std::string& user_id,
                  std::function<void(result<std::shared_ptr<const account>>)> done) {
  store.read({"SELECT u.id, u.username, u.email, u.role, u.tenant, u.is_active, u.created_at, u.last_login_at,"
              " (SELECT MAX(t.revoked_at) FROM refresh_token t WHERE t.user_id = u.id),"
              " o.permission, o.resource_type, o.resource_id, o.granted, o.expires_at"
              " FROM app_user u LEFT JOIN permission_override o ON o.user_id = u.id WHERE u.id = $1",
              {user_id}},
             [done = std::move(done)](result<rows> found) {
               if (!found) return done(fail(found.error()));
               if (found->empty()) return done(fail(error_code::unauthenticated, "This account no longer exists."));
               done(std::make_shared<const account>(read_account(*found)));
             });
}

api_key read_api_key(const std::vector<value>& row) {
  api_key key;
  key.id = as_text(row[0]);
  key.tenant = tenant_id{as_text(row[1])};
  key.owner_id = as_text(row[2]);
  key.name = as_text(row[3]);
  key.prefix = as_text(row[4]);
  if (auto scope = parse_json(as_text(row[5])); scope && scope->is_array())
    for (const auto& word : *scope)
      if (word.is_string()) key.scope.push_back(word.get<std::string>());
  key.active = as_int(row[6]) != 0;
  key.created_at_us = as_int(row[7]);
  key.expires_at_us = as_int(row[8]);
  key.last_used_at_us = as_int(row[9]);
  return key;
}

void load_api_key(database& store, const std::string& hash,
                  std::function<void(result<std::shared_ptr<const api_key>>)> done) {
  store.read({"SELECT " TOBIT_API_KEY_COLUMNS " FROM api_key WHERE key_hash = $1", {hash}},
             [done = std::move(done)](result<rows> found) {
               if (!found) return done(fail(found.error()));
               if (found->empty()) return done(fail(error_code::unauthenticated, "This API key is not known."));
               done(std::make_shared<const api_key>(read_api_key((*found)[0])));
             });
}

json to_json(const api_key& key) {
  return {{"id", key.id},
          {"name", key.name},
          {"key_prefix", key.prefix},
          {"scope", key.scope},
          {"is_active", key.active},
          {"created_at", time_or_null(key.created_at_us)},
          {"expires_at", time_or_null(key.expires_at_us)},
          {"last_used_at", time_or_null(key.last_used_at_us)}};
}

} // namespace tobit::http
