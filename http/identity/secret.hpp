#pragma once

#include <string>
#include <string_view>

namespace tobit::http {

/// Random text for secrets from the operating system's generator: `bytes` bytes as base64url or lower-case hexadecimal.
std::string random_base64url(std::size_t bytes);
std::string random_hex(std::size_t bytes);
/// A password for people to copy once: 20 characters without those that look alike (about 115 bits).
std::string random_password();

/// How a random secret (refresh token, API key) is stored: BLAKE2b-256, hexadecimal. Fast on purpose: such secrets hold
/// at least 128 random bits and cannot be guessed; passwords go through `hash_password`.
std::string secret_hash(std::string_view secret);

/// What one password hash costs; libsodium's "interactive" unless tests ask for the minimum.
struct password_cost {
  unsigned long long operations;
  std::size_t memory_bytes;
  static password_cost interactive(); ///< 64 MiB, 2 passes: about 0.1 s
  static password_cost minimum();
};

/// Argon2id in the text form that holds its own parameters and salt. Empty if there is not enough memory.
std::string hash_password(std::string_view password, const password_cost& cost);
/// Takes as long as the stored parameters say, also for a wrong password.
bool password_matches(const std::string& stored, std::string_view password);
/// Whether a stored hash was made with other parameters and should be made anew.
bool password_outdated(const std::string& stored, const password_cost& cost);

/// Must be called before anything above; safe to call again. False if libsodium cannot start.
bool start_cryptography();

} // namespace tobit::http
