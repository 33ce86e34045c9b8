#include "http/codec/envelope.hpp"
#include "http/identity/account_store.hpp"
#include "http/identity/audit.hpp"
#include "http/identity/first_start.hpp"
#include "http/routes/paging.hpp"
#include "http/routes/route_deps.hpp"

#include <algorithm>

namespace tobit::http {

using namespace storage;

namespace {

constexpr std::string_view operators_tenant = "default";

json shown_user(const std::vector<value>& row) {
  return {{"user_id", as_text(row[0])},
          {"username", as_text(row[1])},
          {"email", as_text(row[2])},
          {"role", as_text(row[3])},
          {"tenant_id", as_text(row[4])},
          {"is_active", as_int(row[5]) != 0},
          {"created_at", time_or_null(as_int(row[6]))},
          {"last_login", time_or_null(as_int(row[7]))},
          {"login_count", as_int(row[8])}};
}

void list_users(const route_deps& deps, const exchange_ptr& ex) {
  const auto per_page = ex->whole("per_page"), page = ex->whole("page");
  const auto wanted = like_pattern(ex->text("search"));
  deps.store->read(
      {"SELECT id, username, email, role, tenant, is_active, created_at, last_login_at, login_count, COUNT(*) OVER () "
       "FROM app_user"
       " WHERE tenant = $1 AND (is_active = 1 OR CAST($2 AS BIGINT) = 0) AND LOWER(username) LIKE $3 ESCAPE '\\'"
       " ORDER BY username LIMIT CAST($4 AS BIGINT) OFFSET CAST($5 AS BIGINT)",
       {ex->tenant().value, ex->whole("active_only"), wanted, per_page, (page - 1) * per_page}},
      ex->then([ex, page, per_page](const rows& found) {
        json users = json::array();
        for (const auto& row : found.values) users.push_back(shown_user(row));
        const auto total = found.empty() ? std::int64_t{0} : as_int(found[0][9]);
        ex->ok({{"page", page}, {"per_page", per_page}, {"total", total}, {"users", users}});
      }));
}

void create_user(const route_deps& deps, const exchange_ptr& ex) {
  const auto& body = ex->body();
  auto tenant = body.value("tenant_id", ex->tenant().value);
  if (tenant != ex->tenant().value && ex->tenant().value != operators_tenant)
    return ex->refuse({error_code::tenant_violation,
                       "Only an administrator of the tenant 'default' may add users of other tenants.", "/tenant_id"});
  const bool plain = !tenant.empty() && std::all_of(tenant.begin(), tenant.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
  if (!plain)
    return ex->refuse({error_code::validation_error, "A tenant is named with a-z, 0-9, '-' and '_'.", "/tenant_id"});
  const auto username = body["username"].get<std::string>(), email = body.value("email", ""),
             rank = body["role"].get<std::string>();
  deps.doors->hash(body["password"].get<std::string>(), ex->then([deps, ex, tenant, username, email,
                                                                  rank](const std::string& hashed) {
    const auto id = new_uuid();
    const auto now = ex->now();
    const json shown{
        {"user_id", id},     {"username", username},         {"email", email}, {"role", rank}, {"tenant_id", tenant},
        {"is_active", true}, {"created_at", to_rfc3339(now)}};
    unit_of_work unit{{{"INSERT INTO app_user (id, username, email, password_hash, role, tenant, created_at) VALUES "
                        "($1, $2, $3, $4, $5, $6, $7)",
                        {id, username, email, hashed, rank, tenant, to_micros(now)},
                        1},
                       audit_row(ex->context(), {"create", "user", id, json::object(), shown, json::object()}, now)}};
    deps.store->write(std::move(unit), [ex, shown](const result<write_outcome>& written) {
      if (!written && written.error().code == error_code::conflict)
        return ex->refuse({error_code::conflict, "This user name is taken.", "/username"});
      if (!written) return ex->refuse(written.error());
      ex->answer(201, {{"user", shown}});
    });
  }));
}

/// Reads the user that the path names, of the caller's tenant only.
void with_user(const route_deps& deps, const exchange_ptr& ex, std::function<void(const json& before)> go_on) {
  deps.store->read(
      {"SELECT id, username, email, role, tenant, is_active, created_at, last_login_at, login_count FROM app_user"
       " WHERE id = $1 AND tenant = $2",
       {ex->text("user_id"), ex->tenant().value}},
      ex->then([ex, go_on = std::move(go_on)](const rows& found) {
        if (found.empty()) return ex->refuse({error_code::not_found, "There is no such user."});
        go_on(shown_user(found[0]));
      }));
}

/// Writes one column of a user with its audit row, and makes it count at once on this node.
void change_user(const route_deps& deps, const exchange_ptr& ex, const json& before, const json& after,
                 statement change) {
  if (ex->text("user_id") == ex->who().user->user_id)
    return ex->refuse({error_code::unprocessable, "Another administrator has to do this to your own account."});
  unit_of_work unit{
      {std::move(change),
       audit_row(ex->context(), {"update", "user", ex->text("user_id"), before, after, json::object()}, ex->now())}};
  deps.store->write(std::move(unit), ex->then([deps, ex, after](const write_outcome&) {
    deps.people->account_changed(ex->text("user_id"));
    ex->ok({{"user", after}});
  }));
}

shape user_shape() {
  return open_object({required("user_id", text()), required("username", text()), required("role", text()),
                      required("is_active", flag())});
}

} // namespace

void add_user_routes(route_table& table, const route_deps& deps) {
  const auto roles = choice({"viewer", "developer", "manager", "admin"});
  const auto id = in_path("user_id", text(1, 64));
  table.add(
      {.method = "GET",
       .path = "/admin/users",
       .operation = "list_users",
       .tag = "users",
       .summary = "The users of the caller's tenant by name.",
       .needs = access::permitted("user:read", "user"),
       .parameters = {in_query("page", whole(1, 100'000).or_else(1)), in_query("per_page", whole(1, 100).or_else(20)),
                      in_query("active_only", flag().or_else(false)), in_query("search", text(0, 200))},
       .answers = {.type = object({required("page", whole(1, 1e9)), required("per_page", whole(1, 1e9)),
                                   required("total", whole(0, 1e9)), required("users", list_of(user_shape()))})},
       .handler = [deps](const exchange_ptr& ex) { list_users(deps, ex); }});
  table.add(
      {.method = "POST",
       .path = "/admin/users",
       .operation = "create_user",
       .tag = "users",
       .summary = "Adds a user.",
       .notes =
           "An administrator of the tenant 'default' may name another tenant; it comes into being by its first user.",
       .needs = access::permitted("user:create", "user"),
       .body = body_rule{.type = object({required("username", text(1, 100)), optional("email", text(0, 200)),
                                         required("password", text(password_length_min, password_length_max)),
                                         optional("role", choice(roles.one_of).or_else("viewer")),
                                         optional("tenant_id", text(1, tenant_length_max))}),
                         .bytes_max = 16u << 10},
       .answers = {.status = 201, .type = object({required("user", user_shape())})},
       .errors = {error_code::conflict, error_code::tenant_violation},
       .handler = [deps](const exchange_ptr& ex) { create_user(deps, ex); }});
  table.add({.method = "GET",
             .path = "/admin/users/{user_id}",
             .operation = "get_user",
             .tag = "users",
             .summary = "One user.",
             .needs = access::permitted("user:read", "user", "user_id"),
             .parameters = {id},
             .answers = {.type = object({required("user", user_shape())})},
             .errors = {error_code::not_found},
             .handler = [deps](const exchange_ptr& ex) {
               with_user(deps, ex, [ex](const json& user) { ex->ok({{"user", user}}); });
             }});
  table.add({.method = "PATCH",
             .path = "/admin/users/{user_id}/status",
             .operation = "set_user_status",
             .tag = "users",
             .summary = "Enables or disables a user; a disabled one loses access within seconds.",
             .needs = access::permitted("user:update", "user", "user_id"),
             .parameters = {id},
             .body = body_rule{.type = object({required("is_active", flag())}), .bytes_max = 4u << 10},
             .answers = {.type = object({required("user", user_shape())})},
             .errors = {error_code::not_found, error_code::unprocessable},
             .handler = [deps](const exchange_ptr& ex) {
               with_user(deps, ex, [deps, ex](const json& before) {
                 auto after = before;
                 after["is_active"] = ex->body()["is_active"];
                 change_user(deps, ex, before, after,
                             {"UPDATE app_user SET is_active = $1 WHERE id = $2",
                              {std::int64_t{after["is_active"].get<bool>()}, ex->text("user_id")},
                              1});
               });
             }});
  table.add({.method = "PATCH",
             .path = "/admin/users/{user_id}/role",
             .operation = "set_user_role",
             .tag = "users",
             .summary = "Gives a user another role.",
             .needs = access::permitted("user:update", "user", "user_id"),
             .parameters = {id},
             .body = body_rule{.type = object({required("role", roles)}), .bytes_max = 4u << 10},
             .answers = {.type = object({required("user", user_shape())})},
             .errors = {error_code::not_found, error_code::unprocessable},
             .handler = [deps](const exchange_ptr& ex) {
               with_user(deps, ex, [deps, ex](const json& before) {
                 auto after = before;
                 after["role"] = ex->body()["role"];
                 change_user(deps, ex, before, after,
                             {"UPDATE app_user SET role = $1 WHERE id = $2",
                              {after["role"].get<std::string>(), ex->text("user_id")},
                              1});
               });
             }});
}

} // namespace tobit::http
