#pragma once

#include "http/server/transport.hpp"

#include <memory>
#include <string>

namespace tobit::http::edge {

/// The server's certificate and key, TLS 1.2 and 1.3, HTTP/1.1 by ALPN. Thread-safe.
class tls_context {
public:
  /// Both files are PEM; the certificate file may hold the chain. Errors: configuration_error that names the file.
  static result<std::shared_ptr<tls_context>> load(const std::string& certificate_file,
                                                   const std::string& private_key_file);
  virtual ~tls_context() = default;
  /// Null if memory ran out.
  virtual std::unique_ptr<transport> serve(file_handle handle) = 0;
};

} // namespace tobit::http::edge
