#include "http/identity/access_token.hpp"

#include "schemas/json.hpp"

#include <jwt/jwt.hpp>

#include <algorithm>
#include <chrono>

namespace tobit::http {

namespace {

constexpr std::size_t token_length_max = 2'000;
constexpr std::string_view issuer = "tobit";

tl::unexpected<error> refused(const char* sentence) { return fail(error_code::unauthenticated, sentence); }
constexpr auto not_ours = "The access token is not valid; sign in again.";

/// The header that our own tokens carry. Accepting no other text pins the algorithm before any of the token's JSON is
/// looked at.
const std::string& our_header() {
  static const std::string header = [] {
    jwt::jwt_object sample{jwt::params::algorithm("HS256"), jwt::params::secret("x"),
                           jwt::params::payload({{"sub", "x"}})};
    const auto token = sample.signature();
    return token.substr(0, token.find('.') + 1);
  }();
  return header;
}

} // namespace

access_token_signer::access_token_signer(std::string secret, std::size_t remembered_max)
    : secret_(std::move(secret)), remembered_max_(remembered_max) {
  // nop
}

std::string access_token_signer::sign(const access_claims& claims) const {
  using namespace jwt::params;
  const auto seconds_of = [](utc_time t) { return to_micros(t) / 1'000'000; };
  jwt::jwt_object token{algorithm("HS256"), secret(secret_)};
  token.add_claim("iss", std::string(issuer))
      .add_claim("sub", claims.user_id)
      .add_claim("email", claims.username)
      .add_claim("role", claims.role)
      .add_claim("tenant_id", claims.tenant)
      .add_claim("type", std::string("access"))
      .add_claim("iat", seconds_of(claims.issued_at))
      // Revocation compares moments finer than the whole seconds that clients expect in `iat`.
      .add_claim("iat_us", to_micros(claims.issued_at))
      .add_claim("exp", seconds_of(claims.expires_at));
  return token.signature();
}

result<std::shared_ptr<const access_claims>> access_token_signer::check_signature(std::string_view token) const {
  if (token.size() > token_length_max || std::count(token.begin(), token.end(), '.') != 2 ||
      token.substr(0, our_header().size()) != our_header())
    return refused(not_ours);
  try {
    std::error_code wrong;
    const auto read = jwt::decode(std::string(token), jwt::params::algorithms({"HS256"}), wrong,
                                  jwt::params::secret(secret_), jwt::params::verify(true));
    if (wrong == jwt::VerificationErrc::TokenExpired) return refused("The access token is expired; refresh it.");
    if (wrong) return refused(not_ours);
    const json body = read.payload().create_json_obj();
    if (body.value("iss", "") != issuer || body.value("type", "") != "access") return refused(not_ours);
    auto claims = std::make_shared<access_claims>();
    claims->user_id = body.at("sub").get<std::string>();
    claims->username = body.at("email").get<std::string>();
    claims->role = body.at("role").get<std::string>();
    claims->tenant = body.at("tenant_id").get<std::string>();
    claims->issued_at = from_micros(body.at("iat_us").get<std::int64_t>());
    claims->expires_at = utc_time{std::chrono::seconds{body.at("exp").get<std::int64_t>()}};
    return claims;
  } catch (const std::exception&) { // the library throws on text that is not base64 or JSON
    return refused(not_ours);
  }
}

result<std::shared_ptr<const access_claims>> access_token_signer::verify(std::string_view token, utc_time now) {
  std::shared_ptr<const access_claims> known;
  {
    std::lock_guard lock{guard_};
    if (auto found = by_token_.find(token); found != by_token_.end()) {
      by_use_.splice(by_use_.begin(), by_use_, found->second);
      known = found->second->second;
    }
  }
  if (!known) {
    auto checked = check_signature(token);
    if (!checked) return checked;
    known = std::move(*checked);
    std::lock_guard lock{guard_};
    if (by_token_.find(token) == by_token_.end()) {
      if (by_use_.size() >= remembered_max_) {
        by_token_.erase(by_use_.back().first);
        by_use_.pop_back();
      }
      by_use_.emplace_front(std::string(token), known);
      by_token_.emplace(by_use_.front().first, by_use_.begin());
    }
  }
  if (known->expires_at <= now) return refused("The access token is expired; refresh it.");
  return known;
}

} // namespace tobit::http
