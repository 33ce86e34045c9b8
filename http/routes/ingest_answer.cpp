#include "http/routes/ingest_answer.hpp"

namespace tobit::http {

namespace {

json to_json(const event::ingest_report& report) {
  json rejections = json::array();
  for (const auto& one : report.rejected) {
    json line{{"index", one.index}, {"error", describe(one.reason.code).name}, {"reason", one.reason.text()}};
    if (!one.reason.pointer.empty()) line["pointer"] = one.reason.pointer;
    rejections.push_back(std::move(line));
  }
  return {{"accepted", report.accepted},
          {"duplicate", report.duplicate},
          {"rejected", report.rejected_total},
          {"rejections", std::move(rejections)}};
}

} // namespace

void answer_ingest(const exchange_ptr& ex, const event::ingest_report& report, const json& further,
                   std::string_view what) {
  auto body = to_json(report);
  body.update(further);
  const bool nothing_taken = report.accepted == 0 && report.duplicate == 0 && report.rejected_total > 0;
  if (!nothing_taken) return ex->ok(body);
  auto why = report.rejected.empty() ? error{error_code::validation_error} : report.rejected.front().reason;
  if (report.rejected_total > 1)
    why.message = "None of the " + std::string(what) + " was taken; the first one: " + std::string(why.text());
  ex->refuse(why, body);
}

std::vector<field> ingest_answer_fields() {
  return {required("accepted", whole(0, 1e9)), required("duplicate", whole(0, 1e9)),
          required("rejected", whole(0, 1e9)),
          required("rejections", list_of(open_object({required("index", whole(0, 1e9)), required("error", text()),
                                                      required("reason", text())})))};
}

} // namespace tobit::http
