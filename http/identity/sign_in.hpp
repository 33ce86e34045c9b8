#pragma once

#include "http/identity/access_token.hpp"
#include "http/identity/account.hpp"
#include "http/identity/authenticator.hpp"
#include "http/identity/secret.hpp"
#include "http/limit/rate_limit.hpp"
#include "http/limit/worker_pool.hpp"
#include "runtime/storage/database.hpp"
#include "runtime/time/clock.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace tobit::http {

struct sign_in_options {
  std::chrono::seconds access_token_lifetime{30 * 60};
  std::chrono::seconds refresh_token_lifetime{7 * 24 * 3600};
  double attempts_per_minute = 10; ///< per user and address; five times as many per address, ten times per user
  password_cost cost = password_cost::interactive();
};

/// What a client gets for a password or a refresh token.
struct session_tokens {
  std::string access_token, refresh_token;
  std::chrono::seconds expires_in{0};
  std::shared_ptr<const account> user;
};

/// Passwords and refresh tokens: signing in and out. Thread-safe, never blocks: hashing runs on its own pool, whose
/// size bounds what logins can cost. An unknown user costs the same time as a wrong password.
///
/// Refresh tokens are stored hashed and replaced at each use. A replaced one that turns up again was stolen or copied:
/// its whole family is revoked, and with it every access token issued so far.
class sign_in {
public:
  using receiver = std::function<void(result<session_tokens>)>;

  sign_in(storage::database& store, const clock& time, access_token_signer& signer, authenticator& people,
          worker_pool& hashing, sign_in_options options);

  /// Errors: unauthenticated, account_disabled, rate_limit_exceeded (`wait` then says how long), overloaded,
  /// database_error.
  void with_password(const std::string& username, const std::string& password, const std::string& address,
                     const call_context& context, receiver done);
  void with_refresh_token(const std::string& token, const call_context& context, receiver done);
  /// Revokes everything the user holds.
  void sign_out(const std::string& user_id, const call_context& context, std::function<void(result<void>)> done);
  /// Checks the old password, stores the new one and signs out everywhere.
  void change_password(const std::shared_ptr<const account>& user, const std::string& before, const std::string& after,
                       const call_context& context, std::function<void(result<void>)> done);
  /// Hashes on the pool. Errors: overloaded.
  void hash(std::string password, std::function<void(result<std::string>)> done);

  /// How long this user at this address has to wait before the next attempt; takes one attempt if it need not.
  std::chrono::microseconds take_attempt(const std::string& username, const std::string& address);

private:
  struct found_user {
    std::string id, hash;
    bool active = false;
  };
  void check_password(std::string username, std::string password, std::string address, call_context context,
                      std::optional<found_user> user, receiver done);
  void open_session(const std::string& user_id, std::string family, std::vector<storage::statement> further,
                    const call_context& context, receiver done);
  void refuse_reuse(const std::string& family, const std::string& user_id, const call_context& context, receiver done);
  session_tokens tokens_for(const std::shared_ptr<const account>& user, std::string refresh_token) const;
  void refuse_entry(const std::string& username, const std::string& address, const call_context& context, error why,
                    receiver done);
  call_context context_of(const account& user, const call_context& context) const;

  storage::database& store_;
  const clock& time_;
  access_token_signer& signer_;
  authenticator& people_;
  worker_pool& hashing_;
  const sign_in_options options_;
  const std::string nobodys_hash_; ///< compared against for unknown users
  rate_limit by_pair_, by_address_, by_user_;
};

} // namespace tobit::http
