#include "http/identity/secret.hpp"

#include <sodium.h>

#include <vector>

namespace tobit::http {

namespace {

std::string to_hex(const std::vector<unsigned char>& bytes) {
  std::string out(bytes.size() * 2 + 1, '\0');
  sodium_bin2hex(out.data(), out.size(), bytes.data(), bytes.size());
  out.pop_back();
  return out;
}

std::vector<unsigned char> random_bytes(std::size_t count) {
  std::vector<unsigned char> bytes(count);
  randombytes_buf(bytes.data(), bytes.size());
  return bytes;
}

} // namespace

bool start_cryptography() { return sodium_init() >= 0; }

std::string random_base64url(std::size_t count) {
  constexpr int variant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
  const auto bytes = random_bytes(count);
  std::string out(sodium_base64_encoded_len(count, variant), '\0');
  sodium_bin2base64(out.data(), out.size(), bytes.data(), bytes.size(), variant);
  out.resize(out.find('\0'));
  return out;
}

std::string random_hex(std::size_t count) { return to_hex(random_bytes(count)); }

std::string random_password() {
  constexpr std::string_view letters = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
  std::string out;
  for (int i = 0; i < 20; ++i) out.push_back(letters[randombytes_uniform(static_cast<std::uint32_t>(letters.size()))]);
  return out;
}

std::string secret_hash(std::string_view secret) {
  std::vector<unsigned char> digest(crypto_generichash_BYTES);
  crypto_generichash(digest.data(), digest.size(), reinterpret_cast<const unsigned char*>(secret.data()), secret.size(),
                     nullptr, 0);
  return to_hex(digest);
}

password_cost password_cost::interactive() {
  return {crypto_pwhash_OPSLIMIT_INTERACTIVE, crypto_pwhash_MEMLIMIT_INTERACTIVE};
}
password_cost password_cost::minimum() { return {crypto_pwhash_OPSLIMIT_MIN, crypto_pwhash_MEMLIMIT_MIN}; }

std::string hash_password(std::string_view password, const password_cost& cost) {
  std::string out(crypto_pwhash_STRBYTES, '\0');
  if (crypto_pwhash_str_alg(out.data(), password.data(), password.size(), cost.operations, cost.memory_bytes,
                            crypto_pwhash_ALG_ARGON2ID13) != 0)
    return {};
  out.resize(out.find('\0'));
  return out;
}

bool password_matches(const std::string& stored, std::string_view password) {
  return crypto_pwhash_str_verify(stored.c_str(), password.data(), password.size()) == 0;
}

bool password_outdated(const std::string& stored, const password_cost& cost) {
  return crypto_pwhash_str_needs_rehash(stored.c_str(), cost.operations, cost.memory_bytes) != 0;
}

} // namespace tobit::http
