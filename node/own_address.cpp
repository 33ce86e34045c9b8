#include "node/own_address.hpp"

namespace tobit::node {

void own_address::set(const std::string& bound, std::uint16_t port, bool secure) {
  std::string host = bound;
  if (host == "0.0.0.0") host = "127.0.0.1";
  if (host == "::") host = "::1";
  if (host.find(':') != std::string::npos) host = '[' + host + ']';
  std::lock_guard lock{guard_};
  url_ = (secure ? "https://" : "http://") + host + ':' + std::to_string(port);
}

std::string own_address::url_if_known() const {
  std::lock_guard lock{guard_};
  return url_;
}

} // namespace tobit::node
