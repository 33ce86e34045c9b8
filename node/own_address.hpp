#pragma once

#include <cstdint>
#include <mutex>
#include <string>

namespace tobit::node {

/// Where this node serves, known once the server listens. Thread-safe.
class own_address {
public:
  /// `bound` is what the server is bound to; "any address" becomes loopback, which always leads here.
  void set(const std::string& bound, std::uint16_t port, bool secure);
  /// `http://127.0.0.1:8000`. Precondition: set.
  const std::string& url() const noexcept { return url_; }
  /// The same, or empty while it is not known.
  std::string url_if_known() const;

private:
  mutable std::mutex guard_;
  std::string url_;
};

} // namespace tobit::node
