#pragma once

#include "node/cli/surroundings.hpp"

#include <optional>
#include <string>

namespace tobit::cli {

/// What a login gave.
struct saved_tokens {
  std::string user, access_token, refresh_token;
};

/// Remembers logins per node address in `tokens.json` (mode 0600) in $TOBIT_HOME, else $XDG_CONFIG_HOME/tobit, else
/// ~/.config/tobit. Reading trouble counts as "nothing remembered".
class token_store {
public:
  explicit token_store(const surroundings& around);

  std::optional<saved_tokens> find(const std::string& url) const;
  /// Errors: configuration_error (the folder cannot be written).
  result<void> save(const std::string& url, const saved_tokens& tokens) const;
  result<void> forget(const std::string& url) const;
  /// Empty if no home folder is known; then nothing is remembered.
  const std::string& file() const noexcept { return file_; }

private:
  std::string file_;
};

} // namespace tobit::cli
