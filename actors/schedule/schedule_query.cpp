#include "actors/schedule/tick_ledger.hpp"

namespace tobit::schedule {

namespace {

std::optional<utc_time> read_time(const storage::value& v) {
  if (storage::is_null(v)) return std::nullopt;
  return from_micros(storage::as_int(v));
}

json time_or_null(const std::optional<utc_time>& t) { return t ? json(to_rfc3339(*t)) : json(nullptr); }

entity_schedule read_rows(const storage::rows& found) {
  entity_schedule schedule;
  const auto& first = found[0];
  if (auto spec = parse_json(storage::as_text(first[0]))) schedule.spec = std::move(*spec);
  schedule.next_due = read_time(first[1]);
  schedule.tick_count = storage::as_int(first[2]);
  schedule.removed = !storage::is_null(first[3]);
  for (const auto& row : found.values) {
    if (storage::is_null(row[4])) continue; // no tick yet
    schedule.ticks.push_back({from_micros(storage::as_int(row[4])), from_micros(storage::as_int(row[8])),
                              read_time(row[9]), storage::as_int(row[5]), storage::as_text(row[6]),
                              storage::as_text(row[7])});
  }
  return schedule;
}

} // namespace

json to_json(const entity_schedule& schedule) {
  json out{{"spec", schedule.spec},
           {"next_due_at", time_or_null(schedule.next_due)},
           {"tick_count", schedule.tick_count},
           {"removed", schedule.removed},
           {"ticks", json::array()}};
  for (const auto& tick : schedule.ticks)
    out["ticks"].push_back({{"due_at", to_rfc3339(tick.due)},
                            {"status", tick.status},
                            {"missed", tick.missed},
                            {"reason", tick.reason},
                            {"decided_at", to_rfc3339(tick.decided_at)},
                            {"settled_at", time_or_null(tick.settled_at)}});
  return out;
}

void read_schedule(storage::database& from, const entity_ref& ref, std::function<void(result<entity_schedule>)> done) {
  storage::statement select;
  select.sql = "SELECT schedule.spec, schedule.next_due_at, schedule.tick_count, schedule.removed_at, tick.due_at, "
               "tick.missed, tick.status, tick.reason, tick.decided_at, tick.settled_at FROM schedule LEFT JOIN tick "
               "ON tick.kind = schedule.kind AND tick.tenant = schedule.tenant "
               "AND tick.entity_key = schedule.entity_key WHERE schedule.kind = $1 AND schedule.tenant = $2 "
               "AND schedule.entity_key = $3 ORDER BY tick.due_at DESC";
  select.params = {ref.kind, ref.tenant.value, ref.key};
  from.read(std::move(select), [done = std::move(done)](result<storage::rows> found) {
    if (!found) return done(fail(found.error()));
    if (found->empty()) return done(fail(error_code::not_found, "This entity has no schedule."));
    done(read_rows(*found));
  });
}

} // namespace tobit::schedule
