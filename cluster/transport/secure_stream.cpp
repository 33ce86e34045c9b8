#include "cluster/transport/secure_stream.hpp"

#include "cluster/transport/certificate_names.hpp"
#include "cluster/transport/peer_links.hpp"

#include <climits>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <sys/socket.h>

namespace tobit::cluster {

namespace {

constexpr const char* renew_hint = "Make new certificates with `tobit cluster init` and give them to the nodes.";

std::string last_ssl_text() {
  const auto code = ERR_peek_last_error();
  const char* reason = code != 0 ? ERR_reason_error_string(code) : nullptr;
  return reason ? reason : "unknown reason";
}

int as_size(std::size_t size) { return static_cast<int>(std::min<std::size_t>(size, INT_MAX)); }

/// What we found wrong with the other side's certificate.
stream_failure judged(long verdict) {
  if (verdict == X509_V_ERR_CERT_HAS_EXPIRED || verdict == X509_V_ERR_CERT_NOT_YET_VALID)
    return {"wrong_certificate",
            "The other side's certificate is not valid now (expired, or its clock and ours differ). " +
                std::string(renew_hint)};
  return {"wrong_certificate", std::string("The other side's certificate was not made by this cluster's authority (") +
                                   X509_verify_cert_error_string(verdict) +
                                   "). Give that node a certificate of this cluster, or look who is connecting."};
}

/// What the other side told us in a TLS alert (RFC 8446 §6.2), or what it sent instead of TLS.
stream_failure explained(unsigned long code) {
  switch (ERR_GET_REASON(code)) {
  case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
    return {"wrong_certificate",
            "The other side showed no certificate. Set its certificate and key in the configuration."};
  case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    return {"wrong_certificate", "The other side wants a certificate and got none from us. Set certificate and key."};
  case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    return {"wrong_certificate",
            "The other side does not know the authority of our certificate. Use certificates of the "
            "same cluster on both nodes."};
  case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    return {"wrong_certificate", "The other side says that our certificate has expired. " + std::string(renew_hint)};
  case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
  case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
  case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
  case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
  case SSL_R_TLSV1_ALERT_DECRYPT_ERROR:
    return {"wrong_certificate", "The other side refuses our certificate. " + std::string(renew_hint)};
  default:
    return {"garbage", std::string("No TLS 1.3 of this program was spoken (") + ERR_reason_error_string(code) +
                           "). Look which program uses this address, and that both nodes are configured with TLS."};
  }
}

auto wrong_file(const std::string& what, const std::string& file, const std::string& to_do) {
  return fail(error_code::configuration_error, what + " '" + file + "' cannot be used: " + to_do);
}

} // namespace

tls_context::~tls_context() { SSL_CTX_free(context_); }

result<std::shared_ptr<tls_context>> tls_context::open(const link_options& options, const std::string& cluster_id,
                                                       const std::string& node) {
  ERR_clear_error();
  auto made = std::make_shared<tls_context>();
  made->context_ = SSL_CTX_new(TLS_method());
  SSL_CTX* context = made->context_;
  if (!context || SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) != 1)
    return fail(error_code::internal_server_error, "The cryptographic library has no TLS 1.3.");
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_num_tickets(context, 0); // a resumed session would skip the certificate
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_verify_depth(context, 1);
  if (SSL_CTX_load_verify_file(context, options.authority_file.c_str()) != 1)
    return wrong_file("The authority's certificate", options.authority_file,
                      last_ssl_text() + ". Name the PEM file that `tobit cluster init` made.");
  if (SSL_CTX_use_certificate_file(context, options.certificate_file.c_str(), SSL_FILETYPE_PEM) != 1)
    return wrong_file("The node's certificate", options.certificate_file,
                      last_ssl_text() + ". Name the PEM file that `tobit cluster init` made.");
  if (SSL_CTX_use_PrivateKey_file(context, options.key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context) != 1)
    return wrong_file("The node's key", options.key_file,
                      last_ssl_text() + ". Name the PEM file that belongs to the certificate, readable for Tobit.");
  X509* own = SSL_CTX_get0_certificate(context);
  const auto names = names_of(own);
  if (!names) return wrong_file("The node's certificate", options.certificate_file, names.error().message);
  if (names->cluster_id != cluster_id || names->node != node)
    return wrong_file("The node's certificate", options.certificate_file,
                      "it is for node '" + names->node + "' of cluster '" + names->cluster_id +
                          "', and this is node '" + node + "' of cluster '" + cluster_id +
                          "'. Use the certificate of this node.");
  X509_STORE_CTX* check = X509_STORE_CTX_new();
  const bool trusted = check && X509_STORE_CTX_init(check, SSL_CTX_get_cert_store(context), own, nullptr) == 1 &&
                       X509_verify_cert(check) == 1;
  const std::string verdict = check ? X509_verify_cert_error_string(X509_STORE_CTX_get_error(check)) : "no memory";
  X509_STORE_CTX_free(check);
  ERR_clear_error();
  if (!trusted)
    return wrong_file("The node's certificate", options.certificate_file,
                      verdict + ". It must be signed by the authority in '" + options.authority_file +
                          "' and be valid now. " + renew_hint);
  return made;
}

secure_stream::secure_stream(int fd, tls_context* tls, bool accepting) : fd_(fd) {
  if (!tls) return;
  ssl_ = SSL_new(tls->raw());
  if (!ssl_) throw std::bad_alloc(); // never go on in plain text instead
  SSL_set_fd(ssl_, fd);
  accepting ? SSL_set_accept_state(ssl_) : SSL_set_connect_state(ssl_);
}

secure_stream::~secure_stream() { SSL_free(ssl_); }

secure_stream::step secure_stream::handshake() {
  if (!ssl_) return step::done;
  ERR_clear_error();
  return settle(SSL_do_handshake(ssl_), "handshake");
}

secure_stream::step secure_stream::read(void* to, std::size_t size, std::size_t& got) {
  got = 0;
  if (!ssl_) return settle_plain(::recv(fd_, to, size, 0), got, true);
  ERR_clear_error();
  const int returned = SSL_read(ssl_, to, as_size(size));
  if (returned > 0) got = static_cast<std::size_t>(returned);
  return settle(returned, "read");
}

secure_stream::step secure_stream::write(const void* from, std::size_t size, std::size_t& put) {
  put = 0;
  if (!ssl_) return settle_plain(::send(fd_, from, size, MSG_NOSIGNAL), put, false);
  ERR_clear_error();
  const int returned = SSL_write(ssl_, from, as_size(size));
  if (returned > 0) put = static_cast<std::size_t>(returned);
  return settle(returned, "write");
}

std::size_t secure_stream::pending() const noexcept {
  return ssl_ ? static_cast<std::size_t>(std::max(0, SSL_pending(ssl_))) : 0;
}

void secure_stream::finish() noexcept {
  if (ssl_ && SSL_is_init_finished(ssl_)) {
    ERR_clear_error();
    SSL_shutdown(ssl_);
    ERR_clear_error();
  }
  ::shutdown(fd_, SHUT_WR);
}

std::optional<result<certified>> secure_stream::peer() const {
  if (!ssl_) return std::nullopt;
  const X509* certificate = SSL_get0_peer_certificate(ssl_);
  if (!certificate)
    return result<certified>(fail(error_code::validation_error, "The other side showed no certificate."));
  return names_of(certificate);
}

secure_stream::step secure_stream::settle(int returned, const char* doing) {
  if (returned > 0) return step::done;
  const int kind = SSL_get_error(ssl_, returned);
  if (kind == SSL_ERROR_WANT_READ) return step::want_read;
  if (kind == SSL_ERROR_WANT_WRITE) return step::want_write;
  const auto code = ERR_peek_error();
  if (kind == SSL_ERROR_SSL && code != 0) {
    failure_ =
        ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED ? judged(SSL_get_verify_result(ssl_)) : explained(code);
  } else {
    failure_ = {{},
                kind == SSL_ERROR_SYSCALL && errno != 0 ? std::string(doing) + ": " + std::strerror(errno)
                                                        : std::string("The other side closed the connection.")};
  }
  ERR_clear_error();
  return step::failed;
}

secure_stream::step secure_stream::settle_plain(long returned, std::size_t& moved, bool reading) {
  if (returned > 0) {
    moved = static_cast<std::size_t>(returned);
    return step::done;
  }
  if (returned < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
    return reading ? step::want_read : step::want_write;
  failure_ = {{}, returned < 0 ? std::strerror(errno) : "The other side closed the connection."};
  return step::failed;
}

} // namespace tobit::cluster
