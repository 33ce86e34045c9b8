#include "http/server/tls.hpp"

#include <climits>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <sys/socket.h>

namespace tobit::http::edge {
namespace {

struct free_context {
  void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
};
struct free_session {
  void operator()(SSL* session) const noexcept { SSL_free(session); }
};
using context_pointer = std::unique_ptr<SSL_CTX, free_context>;
using session_pointer = std::unique_ptr<SSL, free_session>;

class tls_transport final : public transport {
public:
  tls_transport(file_handle handle, session_pointer session) noexcept
      : transport(std::move(handle)), session_(std::move(session)) {}

  io_result handshake() override {
    ERR_clear_error();
    return outcome_of(SSL_accept(session_.get()));
  }

  io_result read(std::span<char> into) override {
    ERR_clear_error();
    std::size_t count = 0;
    auto outcome = outcome_of(SSL_read_ex(session_.get(), into.data(), into.size(), &count));
    outcome.bytes = count;
    return outcome;
  }

  io_result write(std::span<const iovec> pieces) override {
    io_result sum{io_status::done, 0};
    for (const auto& piece : pieces) {
      ERR_clear_error();
      std::size_t count = 0;
      const auto outcome = outcome_of(SSL_write_ex(session_.get(), piece.iov_base, piece.iov_len, &count));
      sum.bytes += count;
      if (outcome.status == io_status::done && count == piece.iov_len) continue;
      if (sum.bytes == 0) sum.status = outcome.status;
      break;
    }
    return sum;
  }

  void finish_writing() noexcept override {
    ERR_clear_error();
    if (!failed_) SSL_shutdown(session_.get());
    ERR_clear_error();
    ::shutdown(handle(), SHUT_WR);
  }
  bool secure() const noexcept override { return true; }

private:
  io_result outcome_of(int returned) noexcept {
    if (returned > 0) return {io_status::done, 0};
    switch (SSL_get_error(session_.get(), returned)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return {io_status::blocked, 0};
    case SSL_ERROR_ZERO_RETURN:
      return {io_status::ended, 0};
    default:
      // After a fatal error OpenSSL forbids further calls on the session, SSL_shutdown included.
      failed_ = true;
      ERR_clear_error();
      return {io_status::failed, 0};
    }
  }

  session_pointer session_;
  bool failed_ = false;
};

int select_protocol(SSL*, const unsigned char** chosen, unsigned char* chosen_size, const unsigned char* offered,
                    unsigned int offered_size, void*) {
  static constexpr unsigned char known[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  unsigned char* found = nullptr;
  if (SSL_select_next_proto(&found, chosen_size, known, sizeof known, offered, offered_size) != OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  *chosen = found;
  return SSL_TLSEXT_ERR_OK;
}

class server_context final : public tls_context {
public:
  explicit server_context(context_pointer context) noexcept : context_(std::move(context)) {}
  std::unique_ptr<transport> serve(file_handle handle) override {
    session_pointer session{SSL_new(context_.get())};
    if (!session || SSL_set_fd(session.get(), handle.get()) != 1) return nullptr;
    SSL_set_accept_state(session.get());
    return std::make_unique<tls_transport>(std::move(handle), std::move(session));
  }

private:
  context_pointer context_;
};

std::string reason() {
  const auto code = ERR_get_error();
  const char* text = code ? ERR_reason_error_string(code) : nullptr;
  ERR_clear_error();
  return text ? text : "unknown reason";
}

} // namespace

result<std::shared_ptr<tls_context>> tls_context::load(const std::string& certificate_file,
                                                       const std::string& private_key_file) {
  const auto failed = [](const std::string& what) {
    return fail(error_code::configuration_error, what + ": " + reason() + ".");
  };
  ERR_clear_error();
  context_pointer context{SSL_CTX_new(TLS_server_method())};
  if (!context) return failed("TLS cannot be used");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_alpn_select_cb(context.get(), select_protocol, nullptr);
  // Without this, OpenSSL would ask for the passphrase of an encrypted key on the terminal.
  SSL_CTX_set_default_passwd_cb(context.get(), [](char*, int, int, void*) { return 0; });
  if (SSL_CTX_use_certificate_chain_file(context.get(), certificate_file.c_str()) != 1)
    return failed("The certificate file " + certificate_file + " cannot be used");
  // This also makes sure that the key belongs to the certificate.
  if (SSL_CTX_use_PrivateKey_file(context.get(), private_key_file.c_str(), SSL_FILETYPE_PEM) != 1)
    return failed("The private key file " + private_key_file + " cannot be used with the certificate " +
                  certificate_file);
  return std::make_shared<server_context>(std::move(context));
}

} // namespace tobit::http::edge
