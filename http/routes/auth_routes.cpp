#include "http/codec/envelope.hpp"
#include "http/identity/first_start.hpp"
#include "http/routes/route_deps.hpp"

namespace tobit::http {

namespace {

shape password_text() { return text(1, password_length_max); }
shape new_password_text() { return text(password_length_min, password_length_max); }

json to_json(const session_tokens& tokens) {
  return {{"access_token", tokens.access_token},
          {"refresh_token", tokens.refresh_token},
          {"token_type", "bearer"},
          {"expires_in", tokens.expires_in.count()},
          {"user", to_json(*tokens.user)}};
}

shape tokens_shape() {
  return object({required("access_token", text()), required("refresh_token", text()),
                 required("token_type", choice({"bearer"})),
                 required("expires_in", whole(0, 1e9).described("Seconds.")), required("user", open_object())});
}

void log_in(sign_in& doors, const exchange_ptr& ex) {
  auto& body = ex->body();
  const auto name = body.contains("email") ? body["email"] : body.value("username", json());
  if (!name.is_string() || name.get_ref<const std::string&>().empty())
    return ex->refuse({error_code::validation_error, "The field 'email' (the user name) is missing.", "/email"});
  const auto& username = name.get_ref<const std::string&>();
  const auto& address = ex->incoming().remote_address;
  if (const auto wait = doors.take_attempt(username, address); wait.count() > 0)
    return ex->refuse({error_code::rate_limit_exceeded, "Too many attempts to sign in; wait before the next one."},
                      nullptr, retry_after(wait));
  doors.with_password(username, body["password"].get<std::string>(), address, ex->context(),
                      ex->then([ex](const session_tokens& tokens) { ex->ok(to_json(tokens)); }));
}

} // namespace

void add_auth_routes(route_table& table, const route_deps& deps) {
  auto* doors = deps.doors;
  table.add({.method = "POST",
             .path = "/auth/login",
             .operation = "login",
             .tag = "auth",
             .summary = "Signs in with user name and password.",
             .notes = "`email` is compared with the user name, as in the original; `username` says the same.",
             .needs = access::anybody(),
             .body = body_rule{.type = object({optional("email", text(1, 200)), optional("username", text(1, 200)),
                                               required("password", password_text())}),
                               .bytes_max = 16u << 10},
             .answers = {.type = tokens_shape()},
             .errors = {error_code::unauthenticated, error_code::account_disabled, error_code::overloaded,
                        error_code::database_error},
             .handler = [doors](const exchange_ptr& ex) { log_in(*doors, ex); }});
  table.add({.method = "POST",
             .path = "/auth/refresh",
             .operation = "refresh",
             .tag = "auth",
             .summary = "Gives new tokens for a refresh token, which is used up by it.",
             .notes = "A refresh token that is used twice ends its whole session.",
             .needs = access::anybody(),
             .body = body_rule{.type = object({required("refresh_token", text(1, 200))}), .bytes_max = 16u << 10},
             .answers = {.type = tokens_shape()},
             .errors = {error_code::unauthenticated, error_code::account_disabled, error_code::database_error},
             .handler = [doors](const exchange_ptr& ex) {
               doors->with_refresh_token(ex->body()["refresh_token"].get<std::string>(), ex->context(),
                                         ex->then([ex](const session_tokens& tokens) { ex->ok(to_json(tokens)); }));
             }});
  table.add(
      {.method = "POST",
       .path = "/auth/logout",
       .operation = "logout",
       .tag = "auth",
       .summary = "Ends all sessions of the user: refresh and access tokens.",
       .needs = access::person(),
       .answers = {.type = object({required("logged_out", flag())})},
       .handler = [doors](const exchange_ptr& ex) {
         doors->sign_out(ex->who().user->user_id, ex->context(), ex->then([ex] { ex->ok({{"logged_out", true}}); }));
       }});
  table.add(
      {.method = "GET",
       .path = "/auth/me",
       .operation = "get_me",
       .tag = "auth",
       .summary = "Who the caller is.",
       .answers = {.type = object({required("user", open_object()), optional("api_key", open_object().or_null())})},
       .handler = [](const exchange_ptr& ex) {
         auto user = to_json(*ex->who().user);
         json body{{"user", user}};
         if (ex->who().key) body["api_key"] = {{"id", ex->who().key->id}, {"scope", ex->who().key->scope}};
         ex->ok(body);
       }});
  table.add({.method = "POST",
             .path = "/auth/password",
             .operation = "change_password",
             .tag = "auth",
             .summary = "Changes the caller's password and ends all sessions.",
             .needs = access::person(),
             .body = body_rule{.type = object({required("current_password", password_text()),
                                               required("new_password", new_password_text())}),
                               .bytes_max = 16u << 10},
             .answers = {.type = object({required("changed", flag())})},
             .errors = {error_code::authorization_error},
             .handler = [doors](const exchange_ptr& ex) {
               const auto& user = ex->who().user;
               if (const auto wait = doors->take_attempt(user->username, ex->incoming().remote_address);
                   wait.count() > 0)
                 return ex->refuse(error{error_code::rate_limit_exceeded}, nullptr, retry_after(wait));
               doors->change_password(user, ex->body()["current_password"].get<std::string>(),
                                      ex->body()["new_password"].get<std::string>(), ex->context(), ex->then([ex] {
                                        ex->ok({{"changed", true}});
                                      }));
             }});
}

} // namespace tobit::http
