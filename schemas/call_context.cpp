#include "schemas/call_context.hpp"

#include "schemas/json.hpp"

#include <array>

namespace tobit {

namespace {
constexpr std::array<std::string_view, 6> role_names{"none", "viewer", "developer", "manager", "admin", "system"};
}

std::string_view to_string(role r) noexcept { return role_names[static_cast<std::size_t>(r)]; }

std::optional<role> parse_role(std::string_view text) noexcept {
  for (std::size_t i = 1; i + 1 < role_names.size(); ++i)
    if (role_names[i] == text) return static_cast<role>(i);
  return std::nullopt;
}

identity_ptr system_identity(const tenant_id& tenant) {
  return std::make_shared<const identity>(identity{tenant, principal_id{"system"}, role::system, {}});
}

call_context call_context::child() const {
  call_context next = *this;
  next.parent = span;
  next.span = new_span_id();
  return next;
}

call_context call_context::with_deadline(steady_time at) const {
  call_context next = *this;
  next.deadline = at;
  return next;
}

call_context new_call(identity_ptr who, steady_time deadline) {
  call_context context;
  context.trace = new_trace_id();
  context.span = new_span_id();
  context.who = std::move(who);
  context.deadline = deadline;
  return context;
}

std::string to_traceparent(const call_context& context) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text = "00-" + to_string(context.trace) + '-' + to_string(context.span) + '-';
  text.push_back(digits[context.flags >> 4]);
  text.push_back(digits[context.flags & 15]);
  return text;
}

std::optional<traceparent> parse_traceparent(std::string_view text) noexcept {
  // version "ff" is forbidden; later versions may append fields after the flags.
  if (text.size() < 55 || text[2] != '-' || text[35] != '-' || text[52] != '-') return std::nullopt;
  const auto version = text.substr(0, 2);
  if (version == "ff" || (version == "00" && text.size() != 55) || (text.size() > 55 && text[55] != '-'))
    return std::nullopt;
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  const auto nibble = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  for (std::size_t i = 0; i < 55; ++i)
    if (i != 2 && i != 35 && i != 52 && !is_hex(text[i])) return std::nullopt;
  auto trace = parse_trace_id(text.substr(3, 32));
  auto span = parse_span_id(text.substr(36, 16));
  if (!trace || !span) return std::nullopt;
  return traceparent{*trace, *span, static_cast<std::uint8_t>(nibble(text[53]) * 16 + nibble(text[54]))};
}

std::string encode_context(const call_context& context) {
  return to_text(json{{"traceparent", to_traceparent(context)},
                      {"parent", to_string(context.parent)},
                      {"tenant", context.who->tenant.value},
                      {"principal", context.who->principal.value},
                      {"role", to_string(context.who->rank)},
                      {"request_id", context.who->request_id},
                      {"parent_trace", context.who->parent_trace}});
}

call_context decode_context(std::string_view text) {
  auto stored = parse_json(text);
  if (!stored || !stored->is_object()) return new_call(system_identity(tenant_id{"default"}));
  const auto field = [&](const char* name) { return stored->value(name, std::string{}); };
  auto context = new_call(nullptr);
  if (auto parent = parse_traceparent(field("traceparent"))) {
    context.trace = parent->trace;
    context.span = parent->span;
    context.flags = parent->flags;
  }
  if (auto parent = parse_span_id(field("parent"))) context.parent = *parent;
  const auto rank = field("role");
  context.who =
      std::make_shared<const identity>(identity{tenant_id{field("tenant")}, principal_id{field("principal")},
                                                rank == "system" ? role::system : parse_role(rank).value_or(role::none),
                                                field("request_id"), field("parent_trace")});
  return context;
}

} // namespace tobit
