#include "runtime/entity/entity_listing.hpp"

#include <algorithm>
#include <array>
#include <unordered_set>

namespace tobit::entity {

using storage::as_int;
using storage::as_text;

namespace {

constexpr std::size_t limit_max = 500;
constexpr std::size_t rounds_max = 20; // pages read to fill one page when memory decides what belongs to it

#define TOBIT_LISTING_COLUMNS                                                                                          \
  "SELECT kind, tenant, entity_key, name, label, enabled, version, restarts, last_error, created_at, updated_at,"      \
  " deleted_at, quarantined_at FROM entity WHERE ($1 = '' OR kind = $1) AND ($2 = '' OR tenant = $2)"                  \
  " AND ($3 = '' OR label = $3) AND ($4 = '' OR LOWER(name) LIKE $4 ESCAPE '!' OR LOWER(entity_key) LIKE $4 ESCAPE "   \
  "'!')"                                                                                                               \
  " AND ($5 = 'deleted' AND deleted_at IS NOT NULL OR $5 <> 'deleted' AND deleted_at IS NULL)"                         \
  " AND ($5 <> 'quarantined' OR quarantined_at IS NOT NULL) AND ($5 <> 'disabled' OR enabled = 0)"                     \
  " AND ($5 NOT IN ('active', 'sleeping') OR quarantined_at IS NULL)"

/// One order of the list: how to read it and where a row stands in it. `$6` is the number or text to go on after, `$7`
/// to `$9` break ties, `$10` is 0 on the first page.
struct listing_order {
  std::string_view name;
  std::string_view sql;
  storage::value (*position)(const std::vector<storage::value>& row);
};

constexpr std::array<listing_order, 4> orders{{
    {"updated",
     TOBIT_LISTING_COLUMNS
     " AND ($10 = 0 OR updated_at < $6 OR updated_at = $6 AND (kind, tenant, entity_key) > ($7, $8,"
     " $9)) ORDER BY updated_at DESC, kind, tenant, entity_key LIMIT $11",
     [](const auto& row) { return row[10]; }},
    {"created",
     TOBIT_LISTING_COLUMNS
     " AND ($10 = 0 OR created_at < $6 OR created_at = $6 AND (kind, tenant, entity_key) > ($7, $8,"
     " $9)) ORDER BY created_at DESC, kind, tenant, entity_key LIMIT $11",
     [](const auto& row) { return row[9]; }},
    {"restarts",
     TOBIT_LISTING_COLUMNS
     " AND ($10 = 0 OR restarts < $6 OR restarts = $6 AND (kind, tenant, entity_key) > ($7, $8, $9))"
     " ORDER BY restarts DESC, kind, tenant, entity_key LIMIT $11",
     [](const auto& row) { return row[7]; }},
    {"name",
     TOBIT_LISTING_COLUMNS " AND ($10 = 0 OR (name, kind, tenant, entity_key) > ($6, $7, $8, $9))"
                           " ORDER BY name, kind, tenant, entity_key LIMIT $11",
     [](const auto& row) { return row[3]; }},
}};

#undef TOBIT_LISTING_COLUMNS

struct position {
  storage::value at;
  std::string kind, tenant, key;
  bool first = true;
};

std::string encode_cursor(const position& p) {
  const json at = std::holds_alternative<std::string>(p.at) ? json(as_text(p.at)) : json(as_int(p.at));
  std::string hex;
  for (const char c : to_text(json::array({at, p.kind, p.tenant, p.key}))) {
    constexpr char digits[] = "0123456789abcdef";
    hex.push_back(digits[static_cast<unsigned char>(c) >> 4]);
    hex.push_back(digits[static_cast<unsigned char>(c) & 15]);
  }
  return hex;
}

result<position> decode_cursor(const std::string& hex, bool by_text) {
  position p;
  p.at = by_text ? storage::value(std::string{}) : storage::value(std::int64_t{0});
  if (hex.empty()) return p;
  const auto malformed =
      fail(error_code::validation_error, "The cursor is not one that an earlier page gave.", "/cursor");
  std::string text;
  const auto digit = [](char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; };
  if (hex.size() % 2 != 0 || hex.size() > 4'000) return malformed;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const int high = digit(hex[i]), low = digit(hex[i + 1]);
    if (high < 0 || low < 0) return malformed;
    text.push_back(static_cast<char>(high * 16 + low));
  }
  auto fields = parse_json(text);
  if (!fields || !fields->is_array() || fields->size() != 4) return malformed;
  const auto& at = (*fields)[0];
  if (by_text ? !at.is_string() : !at.is_number_integer()) return malformed;
  for (std::size_t i = 1; i < 4; ++i)
    if (!(*fields)[i].is_string()) return malformed;
  p.at = by_text ? storage::value(at.get<std::string>()) : storage::value(at.get<std::int64_t>());
  p.kind = (*fields)[1];
  p.tenant = (*fields)[2];
  p.key = (*fields)[3];
  p.first = false;
  return p;
}

/// `text` anywhere, with the wildcards of LIKE taken literally.
std::string containing(const std::string& text) {
  if (text.empty()) return {};
  std::string pattern = "%";
  for (char c : text) {
    if (c == '%' || c == '_' || c == '!') pattern.push_back('!');
    pattern.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
  }
  return pattern + '%';
}

listed_entity read_row(const std::vector<storage::value>& row, const entity_residency* memory) {
  listed_entity one;
  one.ref = {as_text(row[0]), tenant_id{as_text(row[1])}, as_text(row[2])};
  one.name = as_text(row[3]);
  one.label = as_text(row[4]);
  one.enabled = as_int(row[5]) != 0;
  one.version = as_int(row[6]);
  one.restarts = as_int(row[7]);
  one.last_error = as_text(row[8]);
  one.created_at = from_micros(as_int(row[9]));
  one.updated_at = from_micros(as_int(row[10]));
  one.status = "sleeping";
  if (auto seen = memory ? memory->resident(one.ref) : std::nullopt) show_residency(one, *seen);
  if (!one.enabled) one.status = "disabled";
  if (!storage::is_null(row[12])) one.status = "quarantined";
  if (!storage::is_null(row[11])) one.status = "deleted";
  return one;
}

bool known_status(const std::string& status) {
  constexpr std::array<std::string_view, 6> all{"", "active", "sleeping", "quarantined", "disabled", "deleted"};
  return std::find(all.begin(), all.end(), status) != all.end();
}

} // namespace

void to_json(json& out, const listed_entity& one) {
  out = {{"kind", one.ref.kind},
         {"tenant", one.ref.tenant.value},
         {"key", one.ref.key},
         {"name", one.name},
         {"label", one.label},
         {"status", one.status},
         {"enabled", one.enabled},
         {"resident", one.resident},
         {"node", one.node.empty() ? json() : json(one.node)},
         {"version", one.version},
         {"restarts", one.restarts},
         {"last_error", one.last_error.empty() ? json() : json(one.last_error)},
         {"created_at", to_rfc3339(one.created_at)},
         {"updated_at", to_rfc3339(one.updated_at)},
         {"mailbox", one.unanswered},
         {"handled", one.handled},
         {"failed", one.failed},
         {"average_ms", one.average_ms}};
}

void show_residency(listed_entity& one, const residency& seen) {
  one.resident = true;
  if (one.status == "sleeping") one.status = seen.status;
  one.node = seen.node;
  one.unanswered = seen.unanswered;
  one.handled = seen.handled;
  one.failed = seen.failed;
  if (seen.handled > 0)
    one.average_ms = static_cast<double>(seen.time_total_us) / 1'000 / static_cast<double>(seen.handled);
}

result<entity_page> list_entities(storage::database& db, const listing_filter& filter, const entity_residency* memory) {
  const auto order = std::find_if(orders.begin(), orders.end(), [&](const auto& o) { return o.name == filter.sort; });
  if (order == orders.end())
    return fail(error_code::validation_error, "Sort by one of updated, created, name, restarts.", "/sort");
  if (!known_status(filter.status))
    return fail(error_code::validation_error, "A status is one of active, sleeping, quarantined, disabled, deleted.",
                "/status");
  auto from = decode_cursor(filter.cursor, order->name == "name");
  if (!from) return fail(from.error());
  const auto limit = std::clamp<std::size_t>(filter.limit, 1, limit_max);
  const bool memory_decides = filter.status == "active" || filter.status == "sleeping";
  entity_page page;
  for (std::size_t round = 0; round < rounds_max; ++round) {
    const auto wanted = memory_decides ? limit_max : limit - page.items.size();
    auto rows = db.read_and_wait(
        {order->sql,
         {filter.kind, filter.tenant, filter.label, containing(filter.q), filter.status, from->at, from->kind,
          from->tenant, from->key, std::int64_t{!from->first}, static_cast<std::int64_t>(wanted + 1)}});
    if (!rows) return fail(rows.error());
    const bool more = rows->size() > wanted;
    for (std::size_t i = 0; i < std::min(rows->size(), wanted); ++i) {
      const auto& row = (*rows)[i];
      from = position{order->position(row), as_text(row[0]), as_text(row[1]), as_text(row[2]), false};
      auto one = read_row(row, memory);
      if (memory_decides && (filter.status == "active") != one.resident) continue;
      if (memory_decides && !one.enabled) continue;
      page.items.push_back(std::move(one));
      if (page.items.size() == limit) {
        if (more || i + 1 < std::min(rows->size(), wanted)) page.next = encode_cursor(*from);
        return page;
      }
    }
    if (!more) return page;
  }
  page.next = encode_cursor(*from);
  return page;
}

} // namespace tobit::entity
