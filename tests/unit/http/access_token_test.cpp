#define CAF_SUITE access_token

#include "http/identity/access_token.hpp"

#include <caf/test/unit_test.hpp>
#include <sodium.h>

using namespace tobit;
using namespace tobit::http;

namespace {

// The library under test also looks at the machine's clock, so the tokens of these tests lie in its future.
const utc_time now{std::chrono::seconds{4'000'000'000}};
const access_claims claims{"user-1", "ann", "developer", "acme", now, now + std::chrono::minutes{30}};

std::string base64url(std::string_view text) {
  std::string out(sodium_base64_encoded_len(text.size(), sodium_base64_VARIANT_URLSAFE_NO_PADDING), '\0');
  sodium_bin2base64(out.data(), out.size(), reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
  out.resize(out.find('\0'));
  return out;
}

} // namespace

CAF_TEST(a token comes back as what was signed) {
  access_token_signer signer(std::string(32, 'k'));
  const auto token = signer.sign(claims);
  for (int i = 0; i < 2; ++i) { // the second time from memory
    const auto read = signer.verify(token, now);
    CAF_REQUIRE(read.has_value());
    CAF_CHECK_EQUAL((*read)->user_id, "user-1");
    CAF_CHECK_EQUAL((*read)->tenant, "acme");
    CAF_CHECK((*read)->issued_at == now && (*read)->expires_at == claims.expires_at);
  }
}

CAF_TEST(an expired token is refused also if it was known) {
  access_token_signer signer(std::string(32, 'k'));
  const auto token = signer.sign(claims);
  CAF_CHECK(signer.verify(token, now).has_value());
  CAF_CHECK(!signer.verify(token, claims.expires_at));
  CAF_CHECK(!access_token_signer(std::string(32, 'k')).verify(token, claims.expires_at));
}

CAF_TEST(a token that was not signed with this secret and algorithm is refused) {
  access_token_signer signer(std::string(32, 'k'));
  const auto token = signer.sign(claims);
  const auto body = token.substr(token.find('.') + 1, token.rfind('.') - token.find('.') - 1);
  const auto signature = token.substr(token.rfind('.') + 1);
  const auto refused = [&](const std::string& forged) { return !signer.verify(forged, now).has_value(); };
  CAF_CHECK(refused(base64url(R"({"alg":"none","typ":"JWT"})") + "." + body + "."));
  CAF_CHECK(refused(base64url(R"({"alg":"none","typ":"JWT"})") + "." + body + "." + signature));
  CAF_CHECK(refused(base64url(R"({"alg":"HS512","typ":"JWT"})") + "." + body + "." + signature));
  CAF_CHECK(refused(token.substr(0, token.rfind('.') + 1)));
  const auto other =
      base64url(R"({"email":"ann","exp":4000001800,"iat":4000000000,"iat_us":4000000000000000,"iss":"tobit",)"
                R"("role":"admin","sub":"user-1","tenant_id":"acme","type":"access"})");
  CAF_CHECK(refused(token.substr(0, token.find('.') + 1) + other + "." + signature));
  CAF_CHECK(refused(access_token_signer(std::string(32, 'x')).sign(claims)));
  for (auto nonsense : {"", ".", "..", "...", "a.b.c", "eyJ.eyJ.eyJ"}) CAF_CHECK(refused(nonsense));
  CAF_CHECK(refused(token + "." + signature));
  CAF_CHECK(refused(std::string(100'000, 'a')));
}

CAF_TEST(every flipped character of a token is noticed) {
  access_token_signer signer(std::string(32, 'k'));
  const auto token = signer.sign(claims);
  for (std::size_t i = 0; i + 1 < token.size(); ++i) { // the last one may hold unused bits
    auto forged = token;
    forged[i] = forged[i] == 'A' ? 'B' : 'A';
    if (forged != token) CAF_CHECK(!signer.verify(forged, now).has_value());
  }
}
