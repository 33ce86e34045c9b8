#include "http/identity/sign_in.hpp"

#include "http/identity/account_store.hpp"
#include "http/identity/audit.hpp"

#include <algorithm>
#include <utility>

namespace tobit::http {

using namespace storage;

namespace {

constexpr std::size_t refresh_token_bytes = 32;

rate per_minute(double attempts) { return {attempts / 60, std::max(1.0, attempts)}; }
error wrong_credentials() { return {error_code::unauthenticated, "The user name or the password is wrong."}; }
tl::unexpected<error> unknown_refresh_token() {
  return fail(error_code::unauthenticated, "The refresh token is not valid any more; sign in again.");
}

} // namespace

sign_in::sign_in(database& store, const clock& time, access_token_signer& signer, authenticator& people,
                 worker_pool& hashing, sign_in_options options)
    : store_(store)
    , time_(time)
    , signer_(signer)
    , people_(people)
    , hashing_(hashing)
    , options_(options)
    , nobodys_hash_(hash_password(random_password(), options.cost))
    , by_pair_(per_minute(options.attempts_per_minute))
    , by_address_(per_minute(options.attempts_per_minute * 5))
    , by_user_(per_minute(options.attempts_per_minute * 10)) {
  // nop
}

std::chrono::microseconds sign_in::take_attempt(const std::string& username, const std::string& address) {
  const auto now = time_.steady_now();
  return std::max(
      {by_address_.take(address, now), by_user_.take(username, now), by_pair_.take(username + '\n' + address, now)});
}

void sign_in::with_password(const std::string& username, const std::string& password, const std::string& address,
                            const call_context& context, receiver done) {
  store_.read({"SELECT id, password_hash, is_active FROM app_user WHERE username = $1", {username}},
              [this, username, password, address, context, done = std::move(done)](result<rows> found) mutable {
                if (!found) return done(fail(found.error()));
                std::optional<found_user> user;
                if (!found->empty())
                  user = found_user{as_text((*found)[0][0]), as_text((*found)[0][1]), as_int((*found)[0][2]) != 0};
                check_password(std::move(username), std::move(password), std::move(address), std::move(context),
                               std::move(user), std::move(done));
              });
}

void sign_in::check_password(std::string username, std::string password, std::string address, call_context context,
                             std::optional<found_user> user, receiver done) {
  auto task = [this, username, password = std::move(password), address, context, user, done]() {
    const bool right = password_matches(user ? user->hash : nobodys_hash_, password);
    if (!user || !right) return refuse_entry(username, address, context, wrong_credentials(), done);
    if (!user->active) return refuse_entry(username, address, context, error{error_code::account_disabled}, done);
    by_pair_.forget(username + '\n' + address);
    std::vector<statement> further{
        {"UPDATE app_user SET last_login_at = $1, login_count = login_count + 1 WHERE id = $2",
         {to_micros(time_.now()), user->id},
         1}};
    if (password_outdated(user->hash, options_.cost))
      if (auto renewed = hash_password(password, options_.cost); !renewed.empty())
        further.push_back({"UPDATE app_user SET password_hash = $1 WHERE id = $2 AND password_hash = $3",
                           {renewed, user->id, user->hash},
                           std::nullopt});
    open_session(user->id, new_uuid(), std::move(further), context, done);
  };
  if (!hashing_.post(std::move(task)))
    done(fail(error_code::overloaded, "Too many people sign in at this moment; try again in a few seconds."));
}

/// The refusal is on record before it is answered. How many there can be is bounded by `take_attempt`.
void sign_in::refuse_entry(const std::string& username, const std::string& address, const call_context& context,
                           error why, receiver done) {
  const audited_change attempt{"login_failed", "session",
                               username,       json::object(),
                               json::object(), {{"address", address}, {"error", describe(why.code).name}}};
  store_.write({{audit_row(context, attempt, time_.now())}},
               [why = std::move(why), done = std::move(done)](const result<write_outcome>& written) {
                 done(fail(written ? why : written.error()));
               });
}

call_context sign_in::context_of(const account& user, const call_context& context) const {
  auto acting = context;
  acting.who = std::make_shared<const identity>(
      identity{user.tenant, principal_id{user.user_id}, user.rank, context.who->request_id, context.who->parent_trace});
  return acting;
}

session_tokens sign_in::tokens_for(const std::shared_ptr<const account>& user, std::string refresh_token) const {
  const auto now = time_.now();
  access_claims claims{user->user_id,
                       user->username,
                       std::string(to_string(user->rank)),
                       user->tenant.value,
                       now,
                       now + options_.access_token_lifetime};
  return {signer_.sign(claims), std::move(refresh_token), options_.access_token_lifetime, user};
}

void sign_in::open_session(const std::string& user_id, std::string family, std::vector<statement> further,
                           const call_context& context, receiver done) {
  load_account(store_, user_id,
               [this, family, further = std::move(further), context,
                done = std::move(done)](result<std::shared_ptr<const account>> user) mutable {
                 if (!user) return done(fail(user.error()));
                 const auto now = time_.now();
                 auto token = random_base64url(refresh_token_bytes);
                 unit_of_work unit{std::move(further)};
                 unit.statements.push_back({"INSERT INTO refresh_token (id, family, user_id, token_hash, created_at, "
                                            "expires_at) VALUES ($1, $2, $3, $4, $5, $6)",
                                            {new_uuid(), family, (*user)->user_id, secret_hash(token), to_micros(now),
                                             to_micros(now + options_.refresh_token_lifetime)},
                                            1});
                 unit.statements.push_back({"DELETE FROM refresh_token WHERE user_id = $1 AND expires_at < $2",
                                            {(*user)->user_id, to_micros(now)},
                                            std::nullopt});
                 unit.statements.push_back(audit_row(context_of(**user, context),
                                                     {"login", "session", family, {}, json::object(), json::object()},
                                                     now));
                 store_.write(std::move(unit), [this, user = *user, token = std::move(token),
                                                done = std::move(done)](result<write_outcome> written) mutable {
                   if (!written) return done(fail(written.error()));
                   done(tokens_for(user, std::move(token)));
                 });
               });
}

void sign_in::with_refresh_token(const std::string& token, const call_context& context, receiver done) {
  const auto hash = secret_hash(token);
  store_.read(
      {"SELECT user_id, family, used_at, revoked_at, expires_at FROM refresh_token WHERE token_hash = $1", {hash}},
      [this, hash, context, done = std::move(done)](result<rows> found) mutable {
        if (!found) return done(fail(found.error()));
        if (found->empty()) return done(unknown_refresh_token());
        const auto& row = (*found)[0];
        const auto user_id = as_text(row[0]), family = as_text(row[1]);
        if (!is_null(row[2])) return refuse_reuse(family, user_id, context, std::move(done));
        if (!is_null(row[3]) || from_micros(as_int(row[4])) <= time_.now()) return done(unknown_refresh_token());
        load_account(
            store_, user_id,
            [this, hash, family, context, done = std::move(done)](result<std::shared_ptr<const account>> user) mutable {
              if (!user) return done(fail(user.error()));
              if (!(*user)->active) return done(fail(error_code::account_disabled));
              const auto now = time_.now();
              auto next = random_base64url(refresh_token_bytes);
              // Of two that use the token at the same time only one changes the row; the other one is a reuse.
              unit_of_work unit{{{"UPDATE refresh_token SET used_at = $1 WHERE token_hash = $2 AND used_at IS NULL"
                                  " AND revoked_at IS NULL",
                                  {to_micros(now), hash},
                                  1,
                                  error_code::unauthenticated},
                                 {"INSERT INTO refresh_token (id, family, user_id, token_hash, created_at, expires_at)"
                                  " VALUES ($1, $2, $3, $4, $5, $6)",
                                  {new_uuid(), family, (*user)->user_id, secret_hash(next), to_micros(now),
                                   to_micros(now + options_.refresh_token_lifetime)},
                                  1}}};
              store_.write(std::move(unit), [this, user = *user, family, context, next = std::move(next),
                                             done = std::move(done)](result<write_outcome> written) mutable {
                if (written) return done(tokens_for(user, std::move(next)));
                if (written.error().code == error_code::unauthenticated)
                  return refuse_reuse(family, user->user_id, context, std::move(done));
                done(fail(written.error()));
              });
            });
      });
}

void sign_in::refuse_reuse(const std::string& family, const std::string& user_id, const call_context& context,
                           receiver done) {
  load_account(
      store_, user_id,
      [this, family, user_id, context, done = std::move(done)](result<std::shared_ptr<const account>> user) mutable {
        if (!user) return done(unknown_refresh_token());
        const auto now = time_.now();
        unit_of_work unit{
            {{"UPDATE refresh_token SET revoked_at = $1 WHERE family = $2 AND revoked_at IS NULL",
              {to_micros(now), family},
              std::nullopt},
             audit_row(context_of(**user, context),
                       {"refresh_token_reused", "session", family, json::object(), json::object(), json::object()},
                       now)}};
        store_.write(std::move(unit), [this, user_id, done = std::move(done)](const result<write_outcome>& written) {
          people_.account_changed(user_id);
          if (!written) return done(fail(written.error()));
          done(fail(error_code::unauthenticated,
                    "This refresh token was used before, so the whole session was ended; sign in again."));
        });
      });
}

void sign_in::sign_out(const std::string& user_id, const call_context& context,
                       std::function<void(result<void>)> done) {
  const auto now = time_.now();
  unit_of_work unit{
      {{"UPDATE refresh_token SET revoked_at = $1 WHERE user_id = $2 AND revoked_at IS NULL",
        {to_micros(now), user_id},
        std::nullopt},
       audit_row(context, {"logout", "session", user_id, json::object(), json::object(), json::object()}, now)}};
  store_.write(std::move(unit), [this, user_id, done = std::move(done)](const result<write_outcome>& written) {
    people_.account_changed(user_id);
    if (!written) return done(fail(written.error()));
    done({});
  });
}

void sign_in::hash(std::string password, std::function<void(result<std::string>)> done) {
  auto task = [cost = options_.cost, password = std::move(password), done] {
    auto hashed = hash_password(password, cost);
    if (hashed.empty()) return done(fail(error_code::overloaded, "There is not enough memory to hash a password now."));
    done(std::move(hashed));
  };
  if (!hashing_.post(std::move(task))) done(fail(error_code::overloaded));
}

void sign_in::change_password(const std::shared_ptr<const account>& user, const std::string& before,
                              const std::string& after, const call_context& context,
                              std::function<void(result<void>)> done) {
  store_.read({"SELECT password_hash FROM app_user WHERE id = $1", {user->user_id}}, [this, user, before, after,
                                                                                      context, done = std::move(done)](
                                                                                         result<rows> found) {
    if (!found) return done(fail(found.error()));
    if (found->empty()) return done(fail(error_code::not_found));
    auto task = [this, user, before, after, context, done, stored = as_text((*found)[0][0])] {
      if (!password_matches(stored, before))
        return done(fail(error_code::authorization_error, "The current password is wrong.", "/current_password"));
      auto hashed = hash_password(after, options_.cost);
      if (hashed.empty()) return done(fail(error_code::overloaded));
      const auto now = time_.now();
      unit_of_work unit{
          {{"UPDATE app_user SET password_hash = $1 WHERE id = $2 AND password_hash = $3",
            {hashed, user->user_id, stored},
            1},
           {"UPDATE refresh_token SET revoked_at = $1 WHERE user_id = $2 AND revoked_at IS NULL",
            {to_micros(now), user->user_id},
            std::nullopt},
           audit_row(context,
                     {"change_password", "user", user->user_id, json::object(), json::object(), json::object()}, now)}};
      store_.write(std::move(unit), [this, user, done](const result<write_outcome>& written) {
        people_.account_changed(user->user_id);
        if (!written) return done(fail(written.error()));
        done({});
      });
    };
    if (!hashing_.post(std::move(task))) done(fail(error_code::overloaded));
  });
}

} // namespace tobit::http
