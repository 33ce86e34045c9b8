#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tobit::cluster {

/// Looks at the bytes that a peer sends before CAF sees them: CAF 0.17 believes any length and dereferences null on a
/// message without its payload. Lets through what two directly connected nodes say and nothing else: its handshake as
/// the first message (the dialling side of CAF 0.17 says it once more after it has heard the other's), then direct
/// messages, monitors, downs and heartbeats, each not longer than `payload_max`.
///
/// A BASP header is 32 bytes: operation, two of padding, flags, length of the payload (32 bits, big-endian), 24 bytes.
class frame_guard {
public:
  enum class side { dialled, accepted };
  static constexpr std::size_t header_size = 32;

  frame_guard(side ours, std::uint32_t payload_max) noexcept : side_(ours), payload_max_(payload_max) {}

  /// False: these bytes must not be read, and the connection is to be cut. Stays false.
  bool feed(const void* bytes, std::size_t size) noexcept;
  /// What was wrong, for the log.
  std::string_view complaint() const noexcept { return complaint_; }

private:
  bool admit() noexcept;

  side side_;
  std::uint32_t payload_max_;
  unsigned handshakes_ = 0;
  std::array<unsigned char, header_size> header_{};
  std::size_t collected_ = 0;
  std::uint32_t payload_left_ = 0;
  std::string_view complaint_;
};

} // namespace tobit::cluster
