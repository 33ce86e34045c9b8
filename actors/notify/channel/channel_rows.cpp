#include "actors/notify/channel/channel_rows.hpp"

#include "actors/notify/template/notice_values.hpp"

namespace tobit::notify {

namespace {

/// PostgreSQL's text holds no zero bytes.
std::string storable(std::string text) {
  for (char& c : text)
    if (c == '\0') c = ' ';
  return text;
}

constexpr std::size_t error_bytes_max = 1'000;

} // namespace

storage::statement insert_delivery(const delivery_record& r) {
  return {
      "INSERT INTO channel_delivery (id, tenant, channel, channel_type, notice_id, reason, severity, outcome, error, "
      "attempts, took_ms, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
      {r.id, r.channel.tenant.value, r.channel.key, r.type, storable(r.notice.notice_id), storable(r.notice.reason),
       storable(r.notice.severity), r.outcome, storable(cut_text(r.error, error_bytes_max)), r.attempts, r.took_ms,
       to_micros(r.at)}};
}

storage::statement insert_dead_letter(const delivery_record& r, const std::string& title,
                                      const std::vector<std::string>& recipients) {
  return {"INSERT INTO dead_letter (id, tenant, channel, channel_type, notice_id, reason, severity, title, error_name, "
          "error, attempts, tried, recipients, notice, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, "
          "$13, $14, $15)",
          {r.id, r.channel.tenant.value, r.channel.key, r.type, storable(r.notice.notice_id), storable(r.notice.reason),
           storable(r.notice.severity), storable(title), r.error_name, storable(cut_text(r.error, error_bytes_max)),
           r.attempts, to_text(json(r.notice.tried)), to_text(json(recipients)), to_text(json(r.notice)),
           to_micros(r.at)}};
}

storage::statement mark_replayed(const std::string& id, const tenant_id& tenant, const std::string& by, utc_time at) {
  return {
      "UPDATE dead_letter SET replayed_at = $3, replayed_by = $4 WHERE id = $1 AND tenant = $2 AND replayed_at IS NULL",
      {id, tenant.value, to_micros(at), by},
      1,
      error_code::conflict};
}

} // namespace tobit::notify
