#pragma once

#include "http/identity/access_token.hpp"
#include "http/identity/account.hpp"
#include "http/identity/fresh_cache.hpp"
#include "http/limit/rate_limit.hpp"
#include "http/limit/worker_pool.hpp"
#include "http/server/server.hpp"
#include "runtime/storage/database.hpp"
#include "runtime/time/clock.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace tobit::http {

/// Finds out who sends a request: `Authorization: Bearer <access token or sk_… key>`, `X-API-Key: sk_…`, or, for
/// programs that know nothing else, `Authorization: Basic` with an API key as the password (any user name; RFC 7617).
/// Nothing else counts, in particular no password of a person, no cookie and no tenant header. Thread-safe; never
/// blocks.
class authenticator {
public:
  using receiver = std::function<void(result<caller>)>;

  /// `later`: runs what had to wait for the database. All outlive this object.
  authenticator(storage::database& store, const clock& time, access_token_signer& signer, worker_pool& later,
                fresh_cache<account>::bounds freshness = {});

  /// Calls `done` at once if everything is known, else later on one of the pool's threads. A request without
  /// credentials gives a caller without an account. Errors: unauthenticated, account_disabled, database_error,
  /// overloaded.
  void authenticate(const request& incoming, receiver done);

  /// Whether a caller of before may go on (event streams): the caller as it is now. `done` is called at once or on a
  /// storage thread.
  void check_again(const caller& who, receiver done);

  void account_changed(const std::string& user_id); ///< takes effect at once on this node
  void key_changed(const std::string& hash);

private:
  void by_token(std::string_view token, receiver done);
  void by_key(std::string_view key, receiver done);
  void note_use(const api_key& key);
  receiver on_pool(receiver done);

  storage::database& store_;
  const clock& time_;
  access_token_signer& signer_;
  worker_pool& later_;
  rate_limit noted_; ///< how often the last use of a key is written down
  std::shared_ptr<fresh_cache<account>> accounts_;
  std::shared_ptr<fresh_cache<api_key>> keys_;
};

} // namespace tobit::http
