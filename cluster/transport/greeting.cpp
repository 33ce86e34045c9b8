#include "cluster/transport/greeting.hpp"

#include "schemas/json.hpp"

#include <type_traits>

namespace tobit::cluster {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(link_terms, to, key)

namespace {

std::optional<refuse_peer> refusal(std::string reason, std::string sentence) {
  return refuse_peer{std::move(reason), std::move(sentence)};
}

std::string range(const hello& h) { return std::to_string(h.protocol_min) + " to " + std::to_string(h.protocol_max); }

} // namespace

std::string encode_greeting(const greeting_message& what) {
  json out = json::object();
  std::visit(
      [&](const auto& said) {
        using said_t = std::decay_t<decltype(said)>;
        if constexpr (std::is_same_v<said_t, said_hello>) {
          out = {{"message", hello::wire_name}, {"body", said.who}, {"link", said.link}};
        } else if constexpr (std::is_same_v<said_t, refuse_peer>) {
          out = {{"message", refuse_peer::wire_name}, {"body", said}};
        } else {
          out = {{"message", link_ready::wire_name}};
        }
      },
      what);
  const std::string text = to_text(out);
  std::string framed;
  for (const int shift : {24, 16, 8, 0}) framed.push_back(static_cast<char>((text.size() >> shift) & 0xff));
  return framed + text;
}

result<greeting_message> decode_greeting(std::string_view text) {
  auto parsed = parse_json(text);
  if (!parsed) return fail(parsed.error());
  const auto refused = [] { return fail(error_code::validation_error, "This is not a greeting of Tobit's cluster."); };
  if (!parsed->is_object()) return refused();
  try {
    const auto name = parsed->value("message", std::string{});
    const auto body = parsed->value("body", json::object());
    if (name == hello::wire_name)
      return greeting_message(said_hello{body.get<hello>(), parsed->value("link", json::object()).get<link_terms>()});
    if (name == refuse_peer::wire_name) return greeting_message(body.get<refuse_peer>());
    if (name == link_ready::wire_name) return greeting_message(link_ready{});
  } catch (const json::exception&) {
    return refused();
  }
  return refused();
}

result<std::size_t> greeting_size(const std::array<unsigned char, 4>& head) {
  const std::size_t size = static_cast<std::size_t>(head[0]) << 24 | static_cast<std::size_t>(head[1]) << 16 |
                           static_cast<std::size_t>(head[2]) << 8 | head[3];
  if ((head[0] == 0x16 || head[0] == 0x15) && head[1] == 0x03) // a TLS handshake or alert record (RFC 8446 §5.1)
    return fail(error_code::validation_error,
                "The other side speaks TLS and this node is configured without. Configure "
                "both in the same way.");
  if (size == 0 || size > greeting_max)
    return fail(error_code::validation_error,
                "This is not a greeting of Tobit's cluster. Look which program connects.");
  return size;
}

std::optional<refuse_peer> judge_hello(const hello& self, const hello& other, const certified* proof) {
  if (proof && proof->cluster_id != self.cluster_id)
    return refusal("wrong_certificate", "The certificate of node '" + tamed(proof->node) + "' is for cluster '" +
                                            tamed(proof->cluster_id) + "', not for '" + self.cluster_id +
                                            "'. Give that node a certificate of this cluster.");
  if (proof && proof->node != other.node)
    return refusal("wrong_node", "The certificate is for node '" + tamed(proof->node) +
                                     "', but the node calls itself '" + tamed(other.node) +
                                     "'. Give each node its own certificate.");
  if (other.cluster_id != self.cluster_id)
    return refusal("wrong_cluster", "Node '" + tamed(other.node) + "' belongs to cluster '" + tamed(other.cluster_id) +
                                        "', node '" + self.node + "' to '" + self.cluster_id +
                                        "'. Correct its database or its list of addresses.");
  if (other.node.empty() || other.node == self.node)
    return refusal("wrong_node", "A node that calls itself '" + tamed(other.node) + "' met node '" + self.node +
                                     "'. Every node needs a name of its own, and must not dial its own address.");
  if (other.protocol_min > other.protocol_max || other.protocol_max < self.protocol_min ||
      self.protocol_max < other.protocol_min)
    return refusal("protocol_incompatible", "Node '" + tamed(other.node) + "' speaks versions " + range(other) +
                                                " of the cluster's protocol, node '" + self.node + "' versions " +
                                                range(self) + ". Upgrade the older one, one release at a time.");
  return std::nullopt;
}

std::string tamed(std::string_view text, std::size_t size) {
  std::string out(text.substr(0, size));
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return text.size() > size ? out + "…" : out;
}

} // namespace tobit::cluster
