#include "http/codec/envelope.hpp"
#include "http/identity/account_store.hpp"
#include "http/identity/audit.hpp"
#include "http/routes/route_deps.hpp"

namespace tobit::http {

using namespace storage;

namespace {

constexpr std::size_t keys_per_user_max = 100;
constexpr std::size_t shown_prefix_length = 8;

shape key_shape() {
  return object({required("id", text()), required("name", text()), required("key_prefix", text()),
                 required("scope", list_of(text())), required("is_active", flag()), required("created_at", time_text()),
                 required("expires_at", time_text().or_null()), required("last_used_at", time_text().or_null())});
}

result<json> checked_scope(const json& scope) {
  if (scope.empty()) return fail(error_code::validation_error, "An API key needs at least one scope.", "/scope");
  for (std::size_t i = 0; i < scope.size(); ++i)
    if (!is_scope(scope[i].get_ref<const std::string&>()))
      return fail(error_code::validation_error,
                  "'" + scope[i].get<std::string>().substr(0, 50) +
                      "' is not a scope; scopes are '*', words like 'api:read' or "
                      "'cep:write', and permissions like 'audit:read'.",
                  pointer_append("/scope", i));
  return scope;
}

void write_key(const route_deps& deps, const exchange_ptr& ex, const api_key& fresh, const std::string& secret) {
  const auto expires = fresh.expires_at_us == 0 ? value() : value(fresh.expires_at_us);
  unit_of_work unit{
      {{"INSERT INTO api_key (id, tenant, owner_id, name, key_prefix, key_hash, scope, is_active, created_at,"
        " expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8, $9)",
        {fresh.id, fresh.tenant.value, fresh.owner_id, fresh.name, fresh.prefix, secret_hash(secret),
         to_text(json(fresh.scope)), fresh.created_at_us, expires},
        1},
       audit_row(ex->context(), {"create", "api_key", fresh.id, json::object(), to_json(fresh), json::object()},
                 ex->now())}};
  deps.store->write(std::move(unit), ex->then([ex, fresh, secret](const write_outcome&) {
    ex->answer(201,
               {{"api_key", to_json(fresh)}, {"key", secret}, {"warning", "Keep the key now: it is not shown again."}});
  }));
}

void create_key(const route_deps& deps, const exchange_ptr& ex) {
  const auto& body = ex->body();
  auto scope = checked_scope(body["scope"]);
  if (!scope) return ex->refuse(scope.error());
  const auto secret = "sk_" + random_hex(16);
  api_key fresh;
  fresh.id = new_uuid();
  fresh.tenant = ex->tenant();
  fresh.owner_id = ex->who().user->user_id;
  fresh.name = body["name"].get<std::string>();
  fresh.prefix = secret.substr(0, shown_prefix_length);
  fresh.scope = scope->get<std::vector<std::string>>();
  fresh.active = true;
  fresh.created_at_us = to_micros(ex->now());
  if (const auto at = body.find("expires_at"); at != body.end() && !at->is_null()) {
    fresh.expires_at_us = to_micros(*parse_rfc3339(at->get_ref<const std::string&>()));
    if (fresh.expires_at_us <= fresh.created_at_us)
      return ex->refuse({error_code::validation_error, "This moment is in the past.", "/expires_at"});
  }
  deps.store->read(
      {"SELECT COUNT(*) FROM api_key WHERE owner_id = $1 AND is_active = 1", {fresh.owner_id}},
      ex->then([deps, ex, fresh, secret](const rows& count) {
        if (as_int(count[0][0]) >= static_cast<std::int64_t>(keys_per_user_max))
          return ex->refuse({error_code::unprocessable, "You have 100 active API keys; revoke one first."});
        write_key(deps, ex, fresh, secret);
      }));
}

void list_keys(const route_deps& deps, const exchange_ptr& ex) {
  deps.store->read({"SELECT " TOBIT_API_KEY_COLUMNS
                    " FROM api_key WHERE owner_id = $1 AND (is_active = 1 OR CAST($2 AS BIGINT) = 1)"
                    " ORDER BY created_at DESC, id DESC LIMIT 500",
                    {ex->who().user->user_id, ex->whole("include_inactive")}},
                   ex->then([ex](const rows& found) {
                     json keys = json::array();
                     std::int64_t active = 0;
                     for (const auto& row : found.values) {
                       const auto key = read_api_key(row);
                       active += key.active ? 1 : 0;
                       keys.push_back(to_json(key));
                     }
                     ex->ok({{"api_keys", keys}, {"total", keys.size()}, {"active", active}});
                   }));
}

/// Finds the key that the path names and that the caller may touch, and goes on with it.
void with_key(const route_deps& deps, const exchange_ptr& ex,
              std::function<void(const api_key&, const std::string& hash)> go_on) {
  deps.store->read({"SELECT " TOBIT_API_KEY_COLUMNS ", key_hash FROM api_key WHERE id = $1 AND tenant = $2",
                    {ex->text("key_id"), ex->tenant().value}},
                   ex->then([ex, go_on = std::move(go_on)](const rows& found) {
                     if (found.empty()) return ex->refuse({error_code::not_found, "There is no such API key."});
                     const auto key = read_api_key(found[0]);
                     const bool own = key.owner_id == ex->who().user->user_id;
                     if (!own && ex->who().user->rank < role::admin)
                       return ex->refuse({error_code::authorization_error, "This API key belongs to somebody else."});
                     go_on(key, as_text(found[0][10]));
                   }));
}

void revoke_key(const route_deps& deps, const exchange_ptr& ex) {
  with_key(deps, ex, [deps, ex](const api_key& key, const std::string& hash) {
    auto after = key;
    after.active = false;
    unit_of_work unit{
        {{"UPDATE api_key SET is_active = 0 WHERE id = $1", {key.id}, 1},
         audit_row(ex->context(), {"revoke", "api_key", key.id, to_json(key), to_json(after), json::object()},
                   ex->now())}};
    deps.store->write(std::move(unit), ex->then([deps, ex, after, hash](const write_outcome&) {
      deps.people->key_changed(hash);
      ex->ok({{"api_key", to_json(after)}});
    }));
  });
}

} // namespace

void add_api_key_routes(route_table& table, const route_deps& deps) {
  const auto id = in_path("key_id", text(1, 64));
  const auto one = object({required("api_key", key_shape())});
  table.add(
      {.method = "POST",
       .path = "/api-keys",
       .operation = "create_api_key",
       .tag = "api keys",
       .summary = "Makes an API key that acts for the caller within its scopes; the key is shown once.",
       .needs = access::person(),
       .body = body_rule{.type = object({required("name", text(1, 100)),
                                         optional("scope", list_of(text(1, 50), 50).or_else(json::array({"api:read"}))),
                                         optional("expires_at", time_text().or_null())}),
                         .bytes_max = 16u << 10},
       .answers = {.status = 201,
                   .type = object(
                       {required("api_key", key_shape()), required("key", text()), required("warning", text())})},
       .errors = {error_code::unprocessable},
       .handler = [deps](const exchange_ptr& ex) { create_key(deps, ex); }});
  table.add({.method = "GET",
             .path = "/api-keys",
             .operation = "list_api_keys",
             .tag = "api keys",
             .summary = "The caller's API keys.",
             .needs = access::person(),
             .parameters = {in_query("include_inactive", flag().or_else(false))},
             .answers = {.type = object({required("api_keys", list_of(key_shape())), required("total", whole(0, 1e9)),
                                         required("active", whole(0, 1e9))})},
             .handler = [deps](const exchange_ptr& ex) { list_keys(deps, ex); }});
  table.add(
      {.method = "GET",
       .path = "/api-keys/{key_id}",
       .operation = "get_api_key",
       .tag = "api keys",
       .summary = "One API key.",
       .needs = access::person(),
       .parameters = {id},
       .answers = {.type = one},
       .errors = {error_code::not_found, error_code::authorization_error},
       .handler = [deps](const exchange_ptr& ex) {
         with_key(deps, ex, [ex](const api_key& key, const std::string&) { ex->ok({{"api_key", to_json(key)}}); });
       }});
  table.add({.method = "DELETE",
             .path = "/api-keys/{key_id}",
             .operation = "revoke_api_key",
             .tag = "api keys",
             .summary = "Revokes an API key; it stays listed as inactive.",
             .needs = access::person(),
             .parameters = {id},
             .answers = {.type = one},
             .errors = {error_code::not_found, error_code::authorization_error},
             .handler = [deps](const exchange_ptr& ex) { revoke_key(deps, ex); }});
}

} // namespace tobit::http
