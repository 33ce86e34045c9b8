#include "cluster/transport/frame_guard.hpp"

#include <algorithm>
#include <cstring>

namespace tobit::cluster {

namespace {

// Operations of BASP 4 (caf/io/basp/message_type.hpp). Routed messages (3) exist only between nodes that are not
// connected to each other; ours all are.
enum operation : unsigned char { server_handshake, client_handshake, direct, routed, monitor, down, heartbeat };

} // namespace

bool frame_guard::feed(const void* bytes, std::size_t size) noexcept {
  const auto* at = static_cast<const unsigned char*>(bytes);
  while (size > 0 && complaint_.empty()) {
    if (payload_left_ > 0) {
      const auto skip = std::min<std::size_t>(payload_left_, size);
      payload_left_ -= static_cast<std::uint32_t>(skip);
      at += skip;
      size -= skip;
      continue;
    }
    const auto take = std::min(header_size - collected_, size);
    std::memcpy(header_.data() + collected_, at, take);
    collected_ += take;
    at += take;
    size -= take;
    if (collected_ == header_size) {
      collected_ = 0;
      if (!admit()) return false;
    }
  }
  return complaint_.empty();
}

bool frame_guard::admit() noexcept {
  const unsigned char op = header_[0];
  payload_left_ = static_cast<std::uint32_t>(header_[4]) << 24 | static_cast<std::uint32_t>(header_[5]) << 16 |
                  static_cast<std::uint32_t>(header_[6]) << 8 | header_[7];
  const auto refuse = [&](std::string_view why) {
    complaint_ = why;
    return false;
  };
  const unsigned handshakes_max = side_ == side::dialled ? 1 : 2;
  const unsigned char opening = side_ == side::dialled ? server_handshake : client_handshake;
  if (handshakes_ == 0 && op != opening) return refuse("something else before the handshake");
  if (op <= client_handshake && (op != opening || handshakes_ == handshakes_max))
    return refuse("an unexpected handshake");
  if (op == routed) return refuse("a message for a third node");
  if (op > heartbeat) return refuse("a message of an unknown kind");
  if ((op == heartbeat) != (payload_left_ == 0)) return refuse("a message whose length does not fit its kind");
  if (payload_left_ > payload_max_) return refuse("a message that is too long");
  if (op == opening) ++handshakes_;
  return true;
}

} // namespace tobit::cluster
