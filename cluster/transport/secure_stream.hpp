#pragma once

#include "cluster/transport/certificates.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

struct ssl_st;
struct ssl_ctx_st;

namespace tobit::cluster {

struct link_options;

/// TLS 1.3 only, both sides with a certificate, nobody trusted but the cluster's authority. One per node.
class tls_context {
public:
  /// Reads the files and checks that the certificate is this node's, valid now, signed by the authority, and that the
  /// key fits. Errors: configuration_error with what to do.
  static result<std::shared_ptr<tls_context>> open(const link_options& options, const std::string& cluster_id,
                                                   const std::string& node);
  tls_context() = default;
  ~tls_context();
  tls_context(const tls_context&) = delete;
  tls_context& operator=(const tls_context&) = delete;

  ssl_ctx_st* raw() const noexcept { return context_; }

private:
  ssl_ctx_st* context_ = nullptr;
};

/// Why a stream ended, in the words of `link_refusal`. An empty reason: it just closed.
struct stream_failure {
  std::string reason, sentence;
};

/// One connection, with TLS or plain. Nothing blocks. Used by one thread at a time. Does not own the socket.
class secure_stream {
public:
  enum class step { done, want_read, want_write, failed };

  secure_stream(int fd, tls_context* tls, bool accepting);
  ~secure_stream();
  secure_stream(const secure_stream&) = delete;
  secure_stream& operator=(const secure_stream&) = delete;

  int fd() const noexcept { return fd_; }
  bool secure() const noexcept { return ssl_ != nullptr; }
  step handshake();
  /// `done`: at least one byte.
  step read(void* to, std::size_t size, std::size_t& got);
  step write(const void* from, std::size_t size, std::size_t& put);
  /// Bytes that are decrypted and not read yet; no event of the socket announces them.
  std::size_t pending() const noexcept;
  /// Says to the other side that nothing more comes.
  void finish() noexcept;

  /// Of the last `failed`.
  const stream_failure& failure() const noexcept { return failure_; }
  /// Who the other side's certificate names; nothing for a plain stream.
  std::optional<result<certified>> peer() const;

private:
  step settle(int returned, const char* doing);
  step settle_plain(long returned, std::size_t& moved, bool reading);

  int fd_;
  ssl_st* ssl_ = nullptr;
  stream_failure failure_;
};

} // namespace tobit::cluster
