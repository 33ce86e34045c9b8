#pragma once

#include "cluster/transport/certificates.hpp"
#include "schemas/cluster/cluster_protocol.hpp"
#include "schemas/error.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

/// What is said on a new connection, inside TLS, before CAF gets it: each message is its length (32 bits, big-endian)
/// and a JSON object `{"message": name, "body": {…}, "link": {…}}`.
///
///     dialling side   hello, link.to = the incarnation it wants
///     listening side  hello, link.key = a secret of this link    or  refuse_peer, and the connection ends
///     dialling side   link_ready                                 or  refuse_peer, and the connection ends
namespace tobit::cluster {

/// Longest greeting, in bytes of JSON.
inline constexpr std::size_t greeting_max = 16u << 10;
/// Reason of a refusal that is nobody's mistake: try again.
inline constexpr std::string_view not_ready = "not_ready";

struct link_terms {
  incarnation_no to = 0; ///< who is dialled
  std::string key;       ///< proves to the listening side that an opened link is the one that was greeted
};
struct link_ready {
  static constexpr std::string_view wire_name = "tobit.cluster.link_ready.v1";
};
struct said_hello {
  hello who;
  link_terms link;
};
using greeting_message = std::variant<said_hello, refuse_peer, link_ready>;

/// With its length in front.
std::string encode_greeting(const greeting_message& what);
/// Without the length. Errors: malformed_json, validation_error.
result<greeting_message> decode_greeting(std::string_view text);
/// Length of the greeting that follows. Errors: validation_error: longer than `greeting_max`, or no greeting at all.
result<std::size_t> greeting_size(const std::array<unsigned char, 4>& head);

/// Whether we can talk to who said this hello; a refusal otherwise. `proof`: what the certificate says, if there is
/// one.
std::optional<refuse_peer> judge_hello(const hello& self, const hello& other, const certified* proof);

/// `text` of another node, fit for a log: no control characters, cut at `size` bytes.
std::string tamed(std::string_view text, std::size_t size = 400);

} // namespace tobit::cluster
