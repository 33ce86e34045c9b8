#pragma once

#include "schemas/error.hpp"
#include "schemas/time.hpp"

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace tobit::http {

/// What an access token says. Role and tenant are shown to clients only: rights come from the account, so that a change
/// takes effect without waiting for the token to expire.
struct access_claims {
  std::string user_id, username, role, tenant;
  utc_time issued_at, expires_at;
};

/// Signs and verifies access tokens: JWT (RFC 7519), HS256, and nothing else. Thread-safe. Tokens verified before are
/// remembered in a bounded table, so that the signature is computed once per token and not once per request.
class access_token_signer {
public:
  /// `secret`: at least 256 random bits.
  explicit access_token_signer(std::string secret, std::size_t remembered_max = 10'000);

  std::string sign(const access_claims& claims) const;
  /// Errors: unauthenticated, with a sentence that says whether it is expired or not one of ours.
  result<std::shared_ptr<const access_claims>> verify(std::string_view token, utc_time now);

private:
  result<std::shared_ptr<const access_claims>> check_signature(std::string_view token) const;

  using entry = std::pair<std::string, std::shared_ptr<const access_claims>>;
  const std::string secret_;
  const std::size_t remembered_max_;
  std::mutex guard_;
  std::list<entry> by_use_;
  std::unordered_map<std::string_view, std::list<entry>::iterator> by_token_;
};

} // namespace tobit::http
