#pragma once

#include "runtime/outbound/http_client.hpp"
#include "runtime/outbound/smtp_client.hpp"

namespace tobit::outbound {

/// Both ways out behind one guard.
class outbound_client : public http_client, public smtp_client {
public:
  using http_client::send;
  using smtp_client::send;
};

/// Errors: configuration_error (malformed allow entry, unreadable certificate file).
result<std::unique_ptr<outbound_client>> make_outbound_client(const http_client_options& options);

} // namespace tobit::outbound
