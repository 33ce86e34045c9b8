#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace tobit {

/// A string that names one kind of thing and cannot be mixed up with another kind. `Tag` is never defined.
template <class Tag>
struct strong_id {
  std::string value;

  strong_id() = default;
  explicit strong_id(std::string text) : value(std::move(text)) {}
  explicit strong_id(std::string_view text) : value(text) {}
  explicit strong_id(const char* text) : value(text) {}
  bool empty() const noexcept { return value.empty(); }
  auto operator<=>(const strong_id&) const = default;
};

using tenant_id = strong_id<struct tenant_tag>;       ///< 1–64 of [a-z0-9_-]; "default" on a fresh install
using node_id = strong_id<struct node_tag>;           ///< stable name of a node of the cluster
using principal_id = strong_id<struct principal_tag>; ///< user id, "key:<id>" for an API key, "system" for ourselves

/// Longest tenant name, in bytes.
inline constexpr std::size_t tenant_length_max = 64;
/// Longest entity key, in bytes.
inline constexpr std::size_t entity_key_length_max = 200;

/// Names one entity of the whole cluster: what kind, whose, which.
struct entity_ref {
  std::string kind; ///< as in the kind table: "rule", "api", …
  tenant_id tenant;
  std::string key; ///< unique within kind and tenant; UUID for rules. 1–200 bytes, no control characters.

  auto operator<=>(const entity_ref&) const = default;
};

/// `kind/tenant/key`, for logs and keys.
std::string to_string(const entity_ref& ref);

/// Stable 64-bit hash (XXH3 of `kind`, `tenant`, `key`); the shard of an entity is this value modulo the shard count.
std::uint64_t stable_hash(const entity_ref& ref) noexcept;

/// W3C trace id (16 bytes) and span id (8 bytes); all zero means "none".
struct trace_id {
  std::array<std::uint8_t, 16> bytes{};
  auto operator<=>(const trace_id&) const = default;
  explicit operator bool() const noexcept { return bytes != std::array<std::uint8_t, 16>{}; }
};
struct span_id {
  std::uint64_t value = 0;
  auto operator<=>(const span_id&) const = default;
  explicit operator bool() const noexcept { return value != 0; }
};

/// Lower-case hexadecimal, 32 and 16 digits.
std::string to_string(const trace_id& id);
std::string to_string(span_id id);

/// Takes 32 hexadecimal digits, or a UUID with hyphens; nothing if malformed or all zero.
std::optional<trace_id> parse_trace_id(std::string_view text);
/// Takes 16 hexadecimal digits; nothing if malformed or all zero.
std::optional<span_id> parse_span_id(std::string_view text);

/// New random ids. Fast per-thread generators seeded from the operating system; not for secrets.
trace_id new_trace_id();
span_id new_span_id();
/// Random UUID (version 7: sortable by creation time, RFC 9562).
std::string new_uuid();

} // namespace tobit

template <class Tag>
struct std::hash<tobit::strong_id<Tag>> {
  std::size_t operator()(const tobit::strong_id<Tag>& id) const noexcept { return std::hash<std::string>{}(id.value); }
};
template <>
struct std::hash<tobit::entity_ref> {
  std::size_t operator()(const tobit::entity_ref& ref) const noexcept {
    return static_cast<std::size_t>(tobit::stable_hash(ref));
  }
};
