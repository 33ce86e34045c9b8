#include "http/routes/alert_answer.hpp"

#include "http/codec/envelope.hpp"
#include "schemas/alert/alert_protocol.hpp"

namespace tobit::http {

using namespace storage;

namespace {

json parsed(const value& text) { return parse_json(as_text(text)).value_or(json(nullptr)); }
json text_or_null(const value& text) { return is_null(text) ? json(nullptr) : json(as_text(text)); }

} // namespace

json alert_of_row(const std::vector<value>& row) {
  return {{"alert_id", as_text(row[0])},
          {"updated_at", time_or_null(as_int(row[1]))},
          {"started_at", time_or_null(as_int(row[2]))},
          {"rule_id", as_text(row[3])},
          {"rule_name", as_text(row[4])},
          {"rule_version", as_int(row[5])},
          {"key", as_text(row[6])},
          {"status", as_text(row[7])},
          {"reason", as_text(row[8])},
          {"flapping", as_int(row[9]) != 0},
          {"severity", as_text(row[10])},
          {"summary", as_text(row[11])},
          {"labels", parsed(row[12])},
          {"annotations", parsed(row[13])},
          {"values", parsed(row[14])},
          {"silenced_by", text_or_null(row[15])},
          {"inhibited_by", text_or_null(row[16])},
          {"fired_at", time_or_null(as_int(row[17]))},
          {"resolved_at", time_or_null(as_int(row[18]))},
          {"ack", as_int(row[19]) != 0},
          {"ack_at", time_or_null(as_int(row[20]))},
          {"ack_by", text_or_null(row[21])},
          {"ack_comment", text_or_null(row[22])},
          {"event_id", text_or_null(row[23])},
          {"exec_id", as_text(row[24])},
          {"trace_id", as_text(row[25])}};
}

shape alert_shape() {
  return open_object({required("alert_id", text()), required("rule_id", text()), required("rule_name", text()),
                      required("key", text()),
                      required("status", choice({"pending", "firing", "resolved", "inactive"})),
                      required("severity", text()), required("summary", text()), required("labels", open_object()),
                      required("flapping", flag()), required("ack", flag()), required("started_at", time_text())});
}

std::string caller_name(const exchange& ex) {
  return ex.who().user ? ex.who().user->username : ex.who().principal().value;
}

entity_ref alerting_ref(const exchange& ex) {
  return {std::string(alert::kind_name), ex.tenant(), std::string(alert::only_key)};
}

} // namespace tobit::http
