#include "actors/schedule/tick_store.hpp"

#include <array>

namespace tobit::schedule {

namespace {

using storage::statement;
using storage::value;

/// Numbers of rows for which there is a statement. Statements are literals to the storage; these are made once.
constexpr std::array<std::size_t, 3> row_counts{64, 8, 1};

struct many_row_statement {
  std::string head, tail;
  std::vector<std::string_view> casts; ///< per column: the type that PostgreSQL must be told, or empty

  std::string text(std::size_t rows) const {
    std::string out = head;
    std::size_t parameter = 0;
    for (std::size_t r = 0; r < rows; ++r) {
      out += r == 0 ? "(" : ", (";
      for (std::size_t c = 0; c < casts.size(); ++c) {
        out += c == 0 ? "" : ", ";
        const auto name = "$" + std::to_string(++parameter);
        out += casts[c].empty() ? name : "CAST(" + name + " AS " + std::string(casts[c]) + ")";
      }
      out += ")";
    }
    return out + tail;
  }
};

/// One statement in its three lengths.
struct statement_family {
  std::array<std::string, row_counts.size()> texts;
  explicit statement_family(const many_row_statement& form) {
    for (std::size_t i = 0; i < row_counts.size(); ++i) texts[i] = form.text(row_counts[i]);
  }
};

const statement_family& tick_upsert() {
  static const statement_family family{
      many_row_statement{"INSERT INTO tick (kind, tenant, entity_key, place, due_at, missed, status, "
                         "reason, decided_at, settled_at) VALUES ",
                         " ON CONFLICT (kind, tenant, entity_key, place) DO UPDATE SET "
                         "due_at = excluded.due_at, missed = excluded.missed, status = excluded.status, "
                         "reason = excluded.reason, decided_at = excluded.decided_at, "
                         "settled_at = excluded.settled_at",
                         {"", "", "", "", "", "", "", "", "", ""}}};
  return family;
}

const statement_family& schedule_advance() {
  static const statement_family family{many_row_statement{
      "WITH fresh (kind, tenant, entity_key, next_due_at, tick_count) AS (VALUES ",
      ") UPDATE schedule SET next_due_at = fresh.next_due_at, tick_count = fresh.tick_count FROM fresh "
      "WHERE schedule.kind = fresh.kind AND schedule.tenant = fresh.tenant "
      "AND schedule.entity_key = fresh.entity_key",
      {"TEXT", "TEXT", "TEXT", "BIGINT", "BIGINT"}}};
  return family;
}

const statement_family& tick_settle() {
  static const statement_family family{many_row_statement{
      "WITH over (kind, tenant, entity_key, place, due_at, status, reason, settled_at) AS (VALUES ",
      ") UPDATE tick SET status = over.status, reason = over.reason, settled_at = over.settled_at FROM over "
      "WHERE tick.kind = over.kind AND tick.tenant = over.tenant AND tick.entity_key = over.entity_key "
      "AND tick.place = over.place AND tick.due_at = over.due_at",
      {"TEXT", "TEXT", "TEXT", "BIGINT", "BIGINT", "TEXT", "TEXT", "BIGINT"}}};
  return family;
}

/// Cuts `items` into the longest statements there are.
template <class Item, class Append>
void append_rows(std::vector<statement>& into, const statement_family& family, const std::vector<Item>& items,
                 Append append_values) {
  std::size_t done = 0;
  for (std::size_t i = 0; i < row_counts.size(); ++i) {
    while (items.size() - done >= row_counts[i]) {
      statement many;
      many.sql = family.texts[i];
      for (std::size_t r = 0; r < row_counts[i]; ++r) append_values(many.params, items[done + r]);
      done += row_counts[i];
      into.push_back(std::move(many));
    }
  }
}

void append_ref(std::vector<value>& params, const entity_ref& ref) {
  params.insert(params.end(), {ref.kind, ref.tenant.value, ref.key});
}

value time_or_null(const std::optional<utc_time>& t) { return t ? value{to_micros(*t)} : value{}; }

entity_ref read_ref(const std::vector<value>& row) {
  return {storage::as_text(row[0]), tenant_id{storage::as_text(row[1])}, storage::as_text(row[2])};
}

} // namespace

void append_claims(std::vector<statement>& into, const std::vector<claim>& claims) {
  append_rows(into, tick_upsert(), claims, [](std::vector<value>& params, const claim& c) {
    const bool fires = c.decision.action == tick_action::fire;
    append_ref(params, c.ref);
    params.insert(params.end(), {std::int64_t{c.place}, to_micros(c.decision.due), c.decision.missed,
                                 std::string(fires ? "open" : "skipped"), std::string(c.decision.reason),
                                 to_micros(c.decided_at), fires ? value{} : value{to_micros(c.decided_at)}});
  });
  append_rows(into, schedule_advance(), claims, [](std::vector<value>& params, const claim& c) {
    append_ref(params, c.ref);
    params.insert(params.end(), {time_or_null(c.decision.next_due), c.tick_count});
  });
}

void append_settlements(std::vector<statement>& into, const std::vector<settlement>& settlements) {
  append_rows(into, tick_settle(), settlements, [](std::vector<value>& params, const settlement& s) {
    append_ref(params, s.ref);
    params.insert(params.end(),
                  {std::int64_t{s.place}, to_micros(s.due), std::string(s.status), s.reason, to_micros(s.settled_at)});
  });
}

statement store_schedule(const schedule_row& row, const std::string& spec) {
  statement upsert;
  upsert.sql = "INSERT INTO schedule (kind, tenant, entity_key, spec, anchor_at, next_due_at, tick_count, removed_at) "
               "VALUES ($1, $2, $3, $4, $5, $6, $7, NULL) ON CONFLICT (kind, tenant, entity_key) DO UPDATE SET "
               "spec = excluded.spec, anchor_at = excluded.anchor_at, next_due_at = excluded.next_due_at, "
               "tick_count = excluded.tick_count, removed_at = NULL";
  append_ref(upsert.params, row.ref);
  upsert.params.insert(upsert.params.end(), {spec, to_micros(row.anchor), time_or_null(row.next_due), row.tick_count});
  return upsert;
}

statement mark_removed(const entity_ref& ref, utc_time now) {
  statement mark;
  mark.sql = "UPDATE schedule SET next_due_at = NULL, removed_at = $4 WHERE kind = $1 AND tenant = $2 "
             "AND entity_key = $3";
  append_ref(mark.params, ref);
  mark.params.emplace_back(to_micros(now));
  return mark;
}

statement mark_orphans(utc_time now) {
  statement mark;
  mark.sql = "UPDATE schedule SET next_due_at = NULL, removed_at = $1 WHERE removed_at IS NULL AND NOT EXISTS "
             "(SELECT 1 FROM interest WHERE interest.kind = schedule.kind AND interest.tenant = schedule.tenant "
             "AND interest.entity_key = schedule.entity_key AND interest.source = 'schedule')";
  mark.params.emplace_back(to_micros(now));
  return mark;
}

std::vector<statement> purge_removed(utc_time before, std::int64_t count) {
  statement ticks, schedules;
  ticks.sql =
      "DELETE FROM tick WHERE (kind, tenant, entity_key) IN (SELECT kind, tenant, entity_key FROM schedule "
      "WHERE removed_at IS NOT NULL AND removed_at < $1 ORDER BY removed_at, kind, tenant, entity_key LIMIT $2)";
  schedules.sql =
      "DELETE FROM schedule WHERE (kind, tenant, entity_key) IN (SELECT kind, tenant, entity_key FROM schedule "
      "WHERE removed_at IS NOT NULL AND removed_at < $1 ORDER BY removed_at, kind, tenant, entity_key LIMIT $2)";
  ticks.params = {to_micros(before), count};
  schedules.params = ticks.params;
  return {std::move(ticks), std::move(schedules)};
}

statement select_wanted(const entity_ref& after, std::int64_t count) {
  statement select;
  select.sql = "SELECT interest.kind, interest.tenant, interest.entity_key, interest.version, interest.spec, "
               "schedule.spec, schedule.anchor_at, schedule.next_due_at, schedule.tick_count, schedule.removed_at "
               "FROM interest LEFT JOIN schedule ON schedule.kind = interest.kind "
               "AND schedule.tenant = interest.tenant AND schedule.entity_key = interest.entity_key "
               "WHERE interest.source = 'schedule' AND (interest.kind, interest.tenant, interest.entity_key) > "
               "($1, $2, $3) ORDER BY interest.kind, interest.tenant, interest.entity_key LIMIT $4";
  append_ref(select.params, after);
  select.params.emplace_back(count);
  return select;
}

statement select_open_ticks(std::int64_t count) {
  statement select;
  select.sql = "SELECT kind, tenant, entity_key, place, due_at, missed FROM tick WHERE status = 'open' "
               "ORDER BY due_at LIMIT $1";
  select.params.emplace_back(count);
  return select;
}

wanted_schedule read_wanted(const std::vector<value>& row) {
  wanted_schedule wanted;
  wanted.row.ref = read_ref(row);
  wanted.version = storage::as_int(row[3]);
  wanted.spec = storage::as_text(row[4]);
  if (storage::is_null(row[5])) return wanted;
  wanted.row.tick_count = storage::as_int(row[8]);
  if (!storage::is_null(row[9])) return wanted; // removed and wanted again: it starts anew
  wanted.stored_spec = storage::as_text(row[5]);
  wanted.row.anchor = from_micros(storage::as_int(row[6]));
  if (!storage::is_null(row[7])) wanted.row.next_due = from_micros(storage::as_int(row[7]));
  return wanted;
}

stored_open_tick read_open_tick(const std::vector<value>& row) {
  return {read_ref(row), static_cast<std::uint32_t>(storage::as_int(row[3])), from_micros(storage::as_int(row[4])),
          storage::as_int(row[5])};
}

} // namespace tobit::schedule
