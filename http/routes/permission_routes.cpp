#include "http/codec/envelope.hpp"
#include "http/identity/account_store.hpp"
#include "http/identity/audit.hpp"
#include "http/routes/route_deps.hpp"

namespace tobit::http {

using namespace storage;

namespace {

using account_ptr = std::shared_ptr<const account>;

json to_json(const permission_override& o) {
  return {{"permission", o.permission},
          {"resource_type", o.resource_type},
          {"resource_id", o.resource_id.empty() ? json(nullptr) : json(o.resource_id)},
          {"granted", o.granted},
          {"expires_at", time_or_null(o.expires_at_us)}};
}

json rights_of(const account& user) {
  json overrides = json::array();
  for (const auto& o : user.overrides) overrides.push_back(to_json(o));
  return {{"user_id", user.user_id},
          {"role", to_string(user.rank)},
          {"permissions", permissions_of(user.rank)},
          {"overrides", overrides}};
}

/// Reads the user that `name` names, of the caller's tenant only.
void with_user(const route_deps& deps, const exchange_ptr& ex, const std::string& id,
               std::function<void(const account&)> go_on) {
  load_account(*deps.store, id, [ex, go_on = std::move(go_on)](const result<account_ptr>& user) {
    const bool unknown = !user && user.error().code == error_code::unauthenticated;
    if (unknown || (user && (*user)->tenant != ex->tenant()))
      return ex->refuse({error_code::not_found, "There is no such user."});
    if (!user) return ex->refuse(user.error());
    ex->guarded([&] { go_on(**user); });
  });
}

bool refuse_unknown_permission(const exchange_ptr& ex) {
  if (is_permission(ex->text("permission"))) return false;
  ex->refuse({error_code::validation_error,
              "'" + ex->text("permission") + "' is not a permission; /permissions/me lists them."});
  return true;
}

void check_permission(const route_deps& deps, const exchange_ptr& ex) {
  if (refuse_unknown_permission(ex)) return;
  with_user(deps, ex, ex->text("user_id"), [ex](const account& user) {
    const auto verdict =
        resolve(user.rank, user.overrides, {ex->text("permission"), ex->text("resource_type"), ex->text("resource_id")},
                ex->now());
    ex->ok({{"granted", verdict.granted && user.active},
            {"reason", user.active ? verdict.reason : "the account is disabled"},
            {"expires_at", time_or_null(verdict.expires_at_us)}});
  });
}

void grant(const route_deps& deps, const exchange_ptr& ex) {
  if (refuse_unknown_permission(ex)) return;
  const auto expires = ex->micros("expires_at");
  if (expires && from_micros(*expires) <= ex->now())
    return ex->refuse({error_code::validation_error, "The parameter 'expires_at' is in the past."});
  with_user(deps, ex, ex->text("user_id"), [deps, ex, expires](const account& user) {
    const permission_override o{ex->text("permission"), ex->text("resource_type"), ex->text("resource_id"),
                                ex->whole("granted", 1) != 0, expires.value_or(0)};
    const auto until = expires ? value(*expires) : value();
    unit_of_work unit{
        {{"INSERT INTO permission_override (user_id, permission, resource_type, resource_id, granted, expires_at, "
          "created_at, created_by)"
          " VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (user_id, permission, resource_type, resource_id)"
          " DO UPDATE SET granted = excluded.granted, expires_at = excluded.expires_at, created_at = "
          "excluded.created_at,"
          " created_by = excluded.created_by",
          {user.user_id, o.permission, o.resource_type, o.resource_id, std::int64_t{o.granted}, until,
           to_micros(ex->now()), ex->context().who->principal.value},
          1},
         audit_row(
             ex->context(),
             {o.granted ? "grant" : "deny", "permission", user.user_id, json::object(), to_json(o), json::object()},
             ex->now())}};
    deps.store->write(std::move(unit), ex->then([deps, ex, id = user.user_id, o](const write_outcome&) {
      deps.people->account_changed(id);
      ex->answer(201, {{"user_id", id}, {"override", to_json(o)}});
    }));
  });
}

void revoke(const route_deps& deps, const exchange_ptr& ex) {
  if (refuse_unknown_permission(ex)) return;
  with_user(deps, ex, ex->text("user_id"), [deps, ex](const account& user) {
    const json named{{"permission", ex->text("permission")},
                     {"resource_type", ex->text("resource_type")},
                     {"resource_id", ex->text("resource_id")}};
    unit_of_work unit{
        {{"DELETE FROM permission_override WHERE user_id = $1 AND permission = $2 AND resource_type = $3 AND "
          "resource_id = $4",
          {user.user_id, ex->text("permission"), ex->text("resource_type"), ex->text("resource_id")},
          1,
          error_code::not_found},
         audit_row(ex->context(), {"revoke", "permission", user.user_id, named, json::object(), json::object()},
                   ex->now())}};
    deps.store->write(std::move(unit), [deps, ex, id = user.user_id](const result<write_outcome>& written) {
      if (!written && written.error().code == error_code::not_found)
        return ex->refuse(
            {error_code::not_found, "This user has no such override; /permissions/{user_id} lists them."});
      if (!written) return ex->refuse(written.error());
      deps.people->account_changed(id);
      ex->ok({{"user_id", id}, {"revoked", true}});
    });
  });
}

std::vector<parameter> override_parameters(bool type_required) {
  std::vector<parameter> all{in_query("user_id", text(1, 64)), in_query("permission", text(1, 64)),
                             in_query("resource_type", text(1, 64)), in_query("resource_id", text(1, 200))};
  all[0].required = all[1].required = true;
  all[2].required = type_required;
  return all;
}

shape rights_shape() {
  return object({required("user_id", text()), required("role", text()), required("permissions", list_of(text())),
                 required("overrides", list_of(open_object()))});
}

} // namespace

void add_permission_routes(route_table& table, const route_deps& deps) {
  auto admin = access::at_least(role::admin);
  table.add({.method = "POST",
             .path = "/permissions/check",
             .operation = "check_permission",
             .tag = "permissions",
             .summary = "Whether a user has a permission, and why.",
             .notes = "An override for the resource counts before one for its type, and that before the role.",
             .needs = admin,
             .parameters = override_parameters(false),
             .answers = {.type = object({required("granted", flag()), required("reason", text()),
                                         required("expires_at", time_text().or_null())})},
             .errors = {error_code::not_found},
             .handler = [deps](const exchange_ptr& ex) { check_permission(deps, ex); }});
  table.add({.method = "GET",
             .path = "/permissions/me",
             .operation = "get_my_permissions",
             .tag = "permissions",
             .summary = "The caller's role, its permissions and the overrides.",
             .answers = {.type = rights_shape()},
             .handler = [](const exchange_ptr& ex) { ex->ok(rights_of(*ex->who().user)); }});
  table.add({.method = "GET",
             .path = "/permissions/{user_id}",
             .operation = "get_permissions",
             .tag = "permissions",
             .summary = "A user's role, its permissions and the overrides.",
             .needs = access::at_least(role::manager),
             .parameters = {in_path("user_id", text(1, 64))},
             .answers = {.type = rights_shape()},
             .errors = {error_code::not_found},
             .handler = [deps](const exchange_ptr& ex) {
               with_user(deps, ex, ex->text("user_id"), [ex](const account& user) { ex->ok(rights_of(user)); });
             }});
  auto grant_parameters = override_parameters(true);
  grant_parameters.push_back(in_query("expires_at", time_text()));
  grant_parameters.push_back(in_query("granted", flag().or_else(true).described("false: an explicit denial.")));
  table.add(
      {.method = "POST",
       .path = "/permissions/grant",
       .operation = "grant_permission",
       .tag = "permissions",
       .summary = "Sets an override for a type of resource, or for one resource.",
       .needs = admin,
       .parameters = std::move(grant_parameters),
       .answers = {.status = 201, .type = object({required("user_id", text()), required("override", open_object())})},
       .errors = {error_code::not_found},
       .handler = [deps](const exchange_ptr& ex) { grant(deps, ex); }});
  table.add({.method = "DELETE",
             .path = "/permissions/revoke",
             .operation = "revoke_permission",
             .tag = "permissions",
             .summary = "Removes an override; what the role says counts again.",
             .needs = admin,
             .parameters = override_parameters(true),
             .answers = {.type = object({required("user_id", text()), required("revoked", flag())})},
             .errors = {error_code::not_found},
             .handler = [deps](const exchange_ptr& ex) { revoke(deps, ex); }});
}

} // namespace tobit::http
