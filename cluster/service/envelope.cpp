#include "cluster/service/envelope.hpp"

#include <algorithm>
#include <chrono>

namespace tobit::cluster {

namespace {

constexpr std::int64_t wire_version = 1;
/// A deadline further away than this is none; it also keeps the sum below from running over.
constexpr std::chrono::microseconds deadline_most = std::chrono::hours{24};

/// Builds the value, and gives up on nesting that would use up the stack.
class bounded_parser : public nlohmann::detail::json_sax_dom_parser<json> {
public:
  explicit bounded_parser(json& into) : json_sax_dom_parser(into, false) {}
  bool start_object(std::size_t n) { return ++depth_ <= depth_max && json_sax_dom_parser::start_object(n); }
  bool start_array(std::size_t n) { return ++depth_ <= depth_max && json_sax_dom_parser::start_array(n); }
  bool end_object() { return depth_-- > 0 && json_sax_dom_parser::end_object(); }
  bool end_array() { return depth_-- > 0 && json_sax_dom_parser::end_array(); }

private:
  static constexpr int depth_max = 200;
  int depth_ = 0;
};

json encoded_context(const call_context& context, steady_time now) {
  const auto& who = *context.who;
  json out{{"p", to_traceparent(context)},
           {"u", to_string(context.parent)},
           {"t", who.tenant.value},
           {"w", who.principal.value},
           {"l", to_string(who.rank)}};
  if (!who.request_id.empty()) out["i"] = who.request_id;
  if (!who.parent_trace.empty()) out["o"] = who.parent_trace;
  if (context.deadline != steady_time::max())
    out["d"] = std::clamp<std::int64_t>((context.deadline - now).count(), 0, deadline_most.count());
  return out;
}

call_context decoded_context(const json& in, steady_time now) {
  auto context = new_call(nullptr);
  if (const auto parent = parse_traceparent(in.at("p").get_ref<const std::string&>())) {
    context.trace = parent->trace;
    context.span = parent->span;
    context.flags = parent->flags;
  }
  if (const auto parent = parse_span_id(in.at("u").get_ref<const std::string&>())) context.parent = *parent;
  const auto& rank = in.at("l").get_ref<const std::string&>();
  context.who = std::make_shared<const identity>(
      identity{tenant_id{in.at("t").get<std::string>()}, principal_id{in.at("w").get<std::string>()},
               rank == "system" ? role::system : parse_role(rank).value_or(role::none), in.value("i", std::string{}),
               in.value("o", std::string{})});
  if (const auto left = in.find("d"); left != in.end())
    context.deadline = now + std::clamp(std::chrono::microseconds{left->get<std::int64_t>()},
                                        std::chrono::microseconds{0}, deadline_most);
  return context;
}

void read(const json& in, steady_time now, envelope& out) {
  const auto kind = in.at("k").get<std::int64_t>();
  const auto scope = in.value("s", std::int64_t{1});
  if (kind < 1 || kind > 5 || scope < 1 || scope > 3) throw std::out_of_range("kind");
  out.kind = static_cast<envelope_kind>(kind);
  out.scope = static_cast<request_scope>(scope);
  out.token = in.value("t", std::uint64_t{0});
  out.attempt = in.value("a", std::uint32_t{0});
  out.shard = in.value("h", std::int64_t{0});
  out.epoch = in.value("e", epoch_no{0});
  if (const auto ref = in.find("r"); ref != in.end())
    out.ref = {ref->at(0).get<std::string>(), tenant_id{ref->at(1).get<std::string>()}, ref->at(2).get<std::string>()};
  if (const auto context = in.find("c"); context != in.end()) out.context = decoded_context(*context, now);
  if (const auto problem = in.find("x"); problem != in.end())
    out.problem = error{describe(static_cast<error_code>(problem->at(0).get<std::uint16_t>())).code,
                        problem->at(1).get<std::string>(), problem->at(2).get<std::string>()};
}

} // namespace

std::string encode_envelope(const envelope& what, steady_time now) {
  json out{{"v", wire_version}, {"k", static_cast<std::int64_t>(what.kind)}};
  if (what.token != 0) out["t"] = what.token;
  if (what.attempt != 0) out["a"] = what.attempt;
  if (what.kind == envelope_kind::request) {
    out["s"] = static_cast<std::int64_t>(what.scope);
    if (what.scope == request_scope::entity) {
      out["r"] = json::array({what.ref.kind, what.ref.tenant.value, what.ref.key});
      out["h"] = what.shard;
      out["e"] = what.epoch;
    }
  }
  if (what.context) out["c"] = encoded_context(*what.context, now);
  if (what.problem)
    out["x"] =
        json::array({static_cast<std::uint16_t>(what.problem->code), what.problem->message, what.problem->pointer});
  if (what.body) {
    out["n"] = what.body.name();
    out["b"] = what.body.encode();
  }
  std::string bytes;
  json::to_cbor(out, bytes);
  return bytes;
}

result<envelope> decode_envelope(std::string_view frame, steady_time now, envelope* partial) {
  envelope out;
  json in;
  try {
    bounded_parser parser{in};
    if (!json::sax_parse(frame.begin(), frame.end(), &parser, json::input_format_t::cbor) || !in.is_object() ||
        in.at("v").get<std::int64_t>() < wire_version)
      return fail(error_code::validation_error, "This is not an envelope of Tobit.");
    read(in, now, out);
  } catch (const std::exception&) {
    return fail(error_code::validation_error, "This envelope is malformed.");
  }
  if (partial) *partial = out;
  if (const auto name = in.find("n"); name != in.end()) {
    if (!name->is_string()) return fail(error_code::validation_error, "This envelope is malformed.");
    auto body = decode_message(name->get_ref<const std::string&>(), in.value("b", json()));
    if (!body) return fail(body.error());
    out.body = std::move(*body);
  }
  return out;
}

} // namespace tobit::cluster
