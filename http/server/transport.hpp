#pragma once

#include "http/server/socket.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <sys/uio.h>

namespace tobit::http::edge {

enum class io_status : std::uint8_t { done, blocked, ended, failed };
struct io_result {
  io_status status = io_status::blocked;
  std::size_t bytes = 0;
};

/// One connection's bytes, plain or through TLS. Nothing blocks and nothing raises SIGPIPE, as long as the calling
/// thread blocks that signal (OpenSSL writes with plain `write`).
class transport {
public:
  explicit transport(file_handle handle) noexcept : handle_(std::move(handle)) {}
  virtual ~transport() = default;
  transport(const transport&) = delete;
  transport& operator=(const transport&) = delete;

  virtual io_result handshake() = 0; ///< done at once for plain connections
  virtual io_result read(std::span<char> into) = 0;
  virtual io_result write(std::span<const iovec> pieces) = 0;
  /// Tells the peer that no more is coming; what it still sends can be thrown away with `discard`.
  virtual void finish_writing() noexcept = 0;
  virtual bool secure() const noexcept = 0;
  /// Reads and forgets raw bytes.
  io_result discard(std::span<char> scratch) noexcept;
  int handle() const noexcept { return handle_.get(); }

private:
  file_handle handle_;
};

std::unique_ptr<transport> make_plain_transport(file_handle handle);

} // namespace tobit::http::edge
