#include "http/routes/alerting_document.hpp"
#include "http/routes/file_ownership.hpp"
#include "http/routes/route_deps.hpp"
#include "http/routes/rule_answer.hpp"

namespace tobit::http {

namespace {

void answer_with(const exchange_ptr& ex, const json& document, std::int64_t version) {
  auto shown = shown_alerting(document);
  shown["version"] = version;
  ex->answer(200, {{"alerting", std::move(shown)}}, nullptr, {{"ETag", '"' + std::to_string(version) + '"'}});
}

void put_alerting(const route_deps& deps, const exchange_ptr& ex) {
  auto expected = expected_version(*ex);
  if (!expected) return ex->refuse(expected.error());
  auto wanted = std::move(ex->body());
  edit_alerting(
      deps, ex, *expected, [wanted](const json&) -> result<json> { return wanted; },
      [ex](const json& document, std::int64_t version) { answer_with(ex, document, version); });
}

route alerting_route(std::string method, std::string operation, std::string summary, std::string permission,
                     route_handler handler) {
  route r{.method = std::move(method),
          .path = "/cep/alerting",
          .operation = std::move(operation),
          .tag = "notifications",
          .summary = std::move(summary)};
  r.needs = access::permitted(std::move(permission), "alerting");
  const auto lists = list_of(open_object());
  r.answers.type =
      object({required("alerting", object({required("notifications", lists), required("inhibitions", lists),
                                           required("escalations", lists), required("on_call", lists),
                                           required("version", whole(0, 1e15))}))});
  r.handler = std::move(handler);
  return r;
}

} // namespace

void add_alerting_routes(route_table& table, const route_deps& deps) {
  table.add(
      alerting_route("GET", "get_alerting",
                     "The whole definition of alerting: notifications, inhibitions, escalations, on-call schedules.",
                     "cep:read", [deps](const exchange_ptr& ex) {
                       with_alerting(deps, ex, [ex](const alerting_document& present) {
                         answer_with(ex, present.body, present.version);
                       });
                     }));
  auto put =
      alerting_route("PUT", "put_alerting", "Replaces the lists that are sent and puts the result live as a whole.",
                     "cep:update", [deps](const exchange_ptr& ex) { put_alerting(deps, ex); });
  put.notes =
      "docs/alerting.md describes every field. A value shown as `***` may be sent back and keeps what is there.";
  put.body = body_rule{.type = open_object()};
  for (auto& p : version_parameters()) put.parameters.push_back(std::move(p));
  put.parameters.push_back(force_parameter());
  put.errors = {error_code::conflict, error_code::address_refused, error_code::payload_too_large};
  table.add(std::move(put));
}

} // namespace tobit::http
