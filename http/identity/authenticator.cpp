#include "http/identity/authenticator.hpp"

#include "http/identity/account_store.hpp"
#include "http/identity/secret.hpp"

#include <sodium.h>

#include <thread>

namespace tobit::http {

namespace {

constexpr std::string_view key_prefix = "sk_";
constexpr std::size_t key_length = 3 + 32;
constexpr std::size_t basic_length_max = 1'000;
constexpr rate use_noted{1.0 / 60, 1};

/// What follows the scheme's name; empty if the header holds another scheme.
std::string_view credential_of(std::string_view authorization, std::string_view scheme) {
  if (authorization.size() <= scheme.size() || authorization[scheme.size()] != ' ') return {};
  for (std::size_t i = 0; i < scheme.size(); ++i)
    if ((authorization[i] | 0x20) != scheme[i]) return {};
  authorization.remove_prefix(scheme.size());
  while (!authorization.empty() && authorization.front() == ' ') authorization.remove_prefix(1);
  return authorization;
}

/// The password of `user:password` in base64; empty if it is none.
std::string basic_password(std::string_view encoded) {
  std::string plain(encoded.size(), '\0');
  std::size_t length = 0;
  if (encoded.size() > basic_length_max ||
      sodium_base642bin(reinterpret_cast<unsigned char*>(plain.data()), plain.size(), encoded.data(), encoded.size(),
                        nullptr, &length, nullptr, sodium_base64_VARIANT_ORIGINAL) != 0)
    return {};
  plain.resize(length);
  const auto colon = plain.find(':');
  return colon == std::string::npos ? std::string{} : plain.substr(colon + 1);
}

result<void> check_account(const account& user) {
  if (!user.active) return fail(error_code::account_disabled);
  if (user.rank == role::none)
    return fail(error_code::account_disabled, "This account has no role; ask an administrator.");
  return {};
}

result<void> check_key(const api_key& key, utc_time now) {
  if (!key.active) return fail(error_code::unauthenticated, "This API key was revoked; create another one.");
  if (key.expires_at_us != 0 && from_micros(key.expires_at_us) <= now)
    return fail(error_code::unauthenticated, "This API key is expired; create another one.");
  return {};
}

} // namespace

authenticator::authenticator(storage::database& store, const clock& time, access_token_signer& signer,
                             worker_pool& later, fresh_cache<account>::bounds freshness)
    : store_(store), time_(time), signer_(signer), later_(later), noted_(use_noted) {
  accounts_ = std::make_shared<fresh_cache<account>>(
      time, [&store](const std::string& id, auto done) { load_account(store, id, std::move(done)); }, freshness);
  keys_ = std::make_shared<fresh_cache<api_key>>(
      time, [&store](const std::string& hash, auto done) { load_api_key(store, hash, std::move(done)); },
      fresh_cache<api_key>::bounds{freshness.fresh_for, freshness.usable_for, freshness.values_max,
                                   freshness.waiting_max});
}

void authenticator::authenticate(const request& incoming, receiver done) {
  const auto authorization = incoming.header("authorization");
  if (const auto basic = credential_of(authorization, "basic"); !basic.empty()) {
    const auto key = basic_password(basic);
    if (key.starts_with(key_prefix)) return by_key(key, std::move(done));
    return done(fail(error_code::unauthenticated,
                     "With the scheme 'Basic' the password is an API key, which starts with 'sk_'; people sign in at "
                     "POST /auth/login."));
  }
  auto credential = credential_of(authorization, "bearer");
  if (credential.empty()) {
    if (!authorization.empty())
      return done(fail(error_code::unauthenticated,
                       "Only the schemes 'Bearer' and 'Basic' (with an API key as password) are taken in the "
                       "Authorization header."));
    credential = incoming.header("x-api-key");
    if (credential.empty()) return done(caller{});
    if (!credential.starts_with(key_prefix))
      return done(fail(error_code::unauthenticated, "The X-API-Key header holds a key that starts with 'sk_'."));
  }
  if (credential.starts_with(key_prefix))
    by_key(credential, std::move(done));
  else
    by_token(credential, std::move(done));
}

/// Goes on at once while still on the thread that asked, else on the pool: a storage thread must not run handlers.
authenticator::receiver authenticator::on_pool(receiver done) {
  return [this, asked_on = std::this_thread::get_id(), done = std::move(done)](result<caller> who) {
    if (std::this_thread::get_id() == asked_on) return done(std::move(who));
    auto task = [done, who] { done(who); };
    if (!later_.post(std::move(task))) done(fail(error_code::overloaded));
  };
}

void authenticator::by_token(std::string_view token, receiver done) {
  auto claims = signer_.verify(token, time_.now());
  if (!claims) return done(fail(claims.error()));
  accounts_->get((*claims)->user_id, [claims = *claims, done = on_pool(std::move(done))](auto user) {
    if (!user) return done(fail(user.error()));
    if (to_micros(claims->issued_at) <= (*user)->tokens_valid_from_us)
      return done(fail(error_code::unauthenticated, "This session was ended; sign in again."));
    if (auto allowed = check_account(**user); !allowed) return done(fail(allowed.error()));
    done(caller{*user, nullptr, to_micros(claims->expires_at)});
  });
}

void authenticator::by_key(std::string_view key, receiver done) {
  if (key.size() != key_length) return done(fail(error_code::unauthenticated, "This API key is not known."));
  keys_->get(secret_hash(key), [this, done = on_pool(std::move(done))](auto found) {
    if (!found) return done(fail(found.error()));
    if (auto allowed = check_key(**found, time_.now()); !allowed) return done(fail(allowed.error()));
    accounts_->get((*found)->owner_id, [this, found = *found, done](auto user) {
      if (!user) return done(fail(user.error()));
      if (auto allowed = check_account(**user); !allowed) return done(fail(allowed.error()));
      note_use(*found);
      done(caller{*user, found, found->expires_at_us});
    });
  });
}

void authenticator::check_again(const caller& who, receiver done) {
  const auto now = time_.now();
  if (who.expires_at_us != 0 && from_micros(who.expires_at_us) <= now)
    return done(fail(error_code::unauthenticated, "The access token is expired; refresh it and connect again."));
  accounts_->get(who.user->user_id, [who, now, done = std::move(done)](auto user) {
    if (!user) return done(fail(user.error()));
    if (who.key)
      if (auto allowed = check_key(*who.key, now); !allowed) return done(fail(allowed.error()));
    if (auto allowed = check_account(**user); !allowed) return done(fail(allowed.error()));
    done(caller{*user, who.key, who.expires_at_us});
  });
}

void authenticator::note_use(const api_key& key) {
  if (noted_.take(key.id, time_.steady_now()).count() > 0) return;
  store_.write(
      {{{"UPDATE api_key SET last_used_at = $1 WHERE id = $2", {to_micros(time_.now()), key.id}, std::nullopt}}},
      [](const result<storage::write_outcome>&) {});
}

void authenticator::account_changed(const std::string& user_id) { accounts_->forget(user_id); }
void authenticator::key_changed(const std::string& hash) { keys_->forget(hash); }

} // namespace tobit::http
