#include "http/codec/envelope.hpp"
#include "http/routes/route_deps.hpp"
#include "http/routes/rule_answer.hpp"
#include "schemas/rule/rule_protocol.hpp"

namespace tobit::http {

using namespace storage;

namespace {

/// The fields of the contract §1.4, and what else the rule knows about its baseline.
json status_of(const json& rule, const json& state) {
  const auto& spec = rule["trigger_spec"];
  const bool anomaly = rule["trigger_type"] == "anomaly";
  json out{{"rule_id", rule["rule_id"]},
           {"trigger_type", rule["trigger_type"]},
           {"anomaly_enabled", anomaly && rule["is_active"] == true},
           {"method", anomaly ? spec["anomaly_method"] : json()},
           {"config", anomaly ? spec["anomaly_config"] : json::object()},
           {"baseline_count", 0},
           {"baseline_source", nullptr},
           {"baseline_summary", nullptr}};
  if (const auto learned = state.find("anomaly"); learned != state.end() && learned->is_object()) out.update(*learned);
  return out;
}

void show_status(const route_deps& deps, const exchange_ptr& ex) {
  deps.store->read({"SELECT " TOBIT_RULE_COLUMNS TOBIT_RULE_TABLES
                    " WHERE e.kind = 'rule' AND e.tenant = $1 AND e.entity_key = $2 AND e.deleted_at IS NULL",
                    {ex->tenant().value, ex->text("rule_id")}},
                   ex->then([deps, ex](const rows& found) {
                     if (found.empty()) return ex->refuse({error_code::not_found, "There is no such rule."});
                     const auto rule = rule_of_row(ex->tenant(), found[0]);
                     deps.entities->ask(rule_ref(*ex), ex->context(), message::of(entity::inspect_entity{}),
                                        ex->then([ex, rule](const message& answer) {
                                          const auto* seen = answer.as<entity::entity_view>();
                                          if (!seen) return ex->refuse(error{error_code::internal_server_error});
                                          ex->ok(status_of(rule, seen->view.value("state", json::object())));
                                        }));
                   }));
}

void reset(const route_deps& deps, const exchange_ptr& ex) {
  rule::reset_baseline wish;
  wish.group = ex->body().value("group", json());
  deps.entities->ask(rule_ref(*ex), ex->context(), message::of(std::move(wish)), ex->then([ex](const message& answer) {
    const auto* done = answer.as<rule::baseline_reset>();
    if (!done) return ex->refuse(error{error_code::internal_server_error});
    ex->ok({{"rule_id", ex->text("rule_id")}, {"groups_reset", done->groups}});
  }));
}

} // namespace

void add_anomaly_routes(route_table& table, const route_deps& deps) {
  route status{.method = "GET",
               .path = "/cep/rules/anomaly-status/{rule_id}",
               .operation = "show_anomaly_status",
               .tag = "rules",
               .summary = "What an anomaly rule judges by: its method and its baseline.",
               .needs = access::permitted("cep:read", "rule", "rule_id"),
               .parameters = {rule_id_parameter()},
               .errors = {error_code::not_found},
               .handler = [deps](const exchange_ptr& ex) { show_status(deps, ex); }};
  status.answers.type = open_object(
      {required("rule_id", text()), required("anomaly_enabled", flag()), required("baseline_count", whole(0, 1e12))});
  table.add(std::move(status));

  route anew{.method = "POST",
             .path = "/cep/rules/{rule_id}/anomaly-baseline/reset",
             .operation = "reset_anomaly_baseline",
             .tag = "rules",
             .summary = "Forgets what an anomaly rule has learned, of all groups or of one.",
             .notes = "Kept in the audit log. The rule learns anew and gives no verdicts until it has enough values.",
             .needs = access::permitted("cep:update", "rule", "rule_id"),
             .parameters = {rule_id_parameter()},
             .errors = {error_code::not_found, error_code::conflict},
             .handler = [deps](const exchange_ptr& ex) { reset(deps, ex); }};
  anew.body = body_rule{
      .type = object({optional("group", open_object().or_null().described("The values of group_by; all if missing."))}),
      .required = false};
  anew.answers.type = object({required("rule_id", text()), required("groups_reset", whole(0, 1e12))});
  table.add(std::move(anew));
}

} // namespace tobit::http
