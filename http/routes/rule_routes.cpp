#include "http/codec/envelope.hpp"
#include "http/routes/file_ownership.hpp"
#include "http/routes/resource_route.hpp"
#include "http/routes/route_deps.hpp"
#include "http/routes/rule_answer.hpp"
#include "http/routes/rule_form.hpp"
#include "http/routes/rule_list.hpp"
#include "schemas/rule/rule_protocol.hpp"
#include "schemas/rule/rule_secrets.hpp"

namespace tobit::http {

using namespace storage;

namespace {

constexpr int summary_length_max = 500;
constexpr int conflict_retries_max = 5;

void get_rule(const route_deps& deps, const exchange_ptr& ex) {
  deps.store->read({"SELECT " TOBIT_RULE_COLUMNS TOBIT_RULE_TABLES
                    " WHERE e.kind = 'rule' AND e.tenant = $1 AND e.entity_key = $2 AND e.deleted_at IS NULL",
                    {ex->tenant().value, ex->text("rule_id")}},
                   ex->then([ex](const rows& found) {
                     if (found.empty()) return ex->refuse({error_code::not_found, "There is no such rule."});
                     const auto rule = rule_of_row(ex->tenant(), found[0]);
                     ex->answer(200, {{"rule", rule}}, nullptr, {{"ETag", '"' + rule["version"].dump() + '"'}});
                   }));
}

void create_rule(const route_deps& deps, const exchange_ptr& ex, json body) {
  entity_ref ref{std::string(rule::kind_name), ex->tenant(), new_uuid()};
  if (const auto given = body.find("rule_id"); given != body.end() && given->is_string())
    ref.key = given->get<std::string>();
  entity::define_entity wish;
  wish.body = std::move(body);
  wish.change = "create";
  wish.expected_version = 0;
  deps.entities->ask(ref, ex->context(), message::of(std::move(wish)),
                     ex->then([ex, ref](const message& answer) { answer_rule_change(ex, 201, ref, answer); }));
}

/// Puts `wish` live on the rule as it is now. Without a version from the caller, somebody else's change in between is
/// no conflict: a partial change means the same on top of it.
void change_rule(const route_deps& deps, const exchange_ptr& ex, const entity::define_entity& wish,
                 int tries_left = conflict_retries_max) {
  with_rule_version(deps, ex, [deps, ex, wish, tries_left](std::int64_t current) {
    auto versioned = wish;
    if (!versioned.expected_version) versioned.expected_version = current;
    const auto ref = rule_ref(*ex);
    deps.entities->ask(ref, ex->context(), message::of(versioned),
                       [deps, ex, ref, wish, tries_left](const result<message>& answer) {
                         const bool again = !answer && answer.error().code == error_code::conflict &&
                                            !wish.expected_version && tries_left > 0;
                         ex->guarded([&] {
                           if (again)
                             change_rule(deps, ex, wish, tries_left - 1);
                           else if (!answer)
                             ex->refuse(answer.error());
                           else
                             answer_rule_change(ex, 200, ref, *answer);
                         });
                       });
  });
}

void update_rule(const route_deps& deps, const exchange_ptr& ex) {
  auto expected = expected_version(*ex);
  if (!expected) return ex->refuse(expected.error());
  entity::define_entity wish;
  wish.body = std::move(ex->body());
  wish.expected_version = *expected;
  wish.unless_same = true;
  with_changeable_rule(deps, ex, [deps, ex, wish](std::int64_t) { change_rule(deps, ex, wish); });
}

void set_active(const route_deps& deps, const exchange_ptr& ex, bool active) {
  entity::define_entity wish;
  wish.body = {{"is_active", active}};
  wish.change = active ? "enable" : "disable";
  wish.unless_same = true;
  change_rule(deps, ex, wish);
}

void delete_rule(const route_deps& deps, const exchange_ptr& ex) {
  auto expected = expected_version(*ex);
  if (!expected) return ex->refuse(expected.error());
  with_changeable_rule(deps, ex, [deps, ex, expected = *expected](std::int64_t) {
    entity::delete_entity wish;
    wish.expected_version = expected;
    deps.entities->ask(rule_ref(*ex), ex->context(), message::of(wish), ex->then([ex](const message&) {
      ex->ok({{"rule_id", ex->text("rule_id")}, {"deleted", true}});
    }));
  });
}

void roll_back(const route_deps& deps, const exchange_ptr& ex) {
  with_changeable_rule(deps, ex, [deps, ex](std::int64_t) {
    entity::rollback_entity wish;
    wish.version = ex->body().value("version", std::int64_t{0});
    wish.summary = ex->body().value("summary", "");
    const auto ref = rule_ref(*ex);
    deps.entities->ask(ref, ex->context(), message::of(std::move(wish)),
                       ex->then([ex, ref](const message& answer) { answer_rule_change(ex, 200, ref, answer); }));
  });
}

void list_versions(const route_deps& deps, const exchange_ptr& ex) {
  deps.store->read({"SELECT d.version, d.change, d.summary, d.created_at, d.created_by, d.body FROM definition d"
                    " WHERE d.kind = 'rule' AND d.tenant = $1 AND d.entity_key = $2 AND d.version < CAST($3 AS BIGINT)"
                    " ORDER BY d.version DESC LIMIT CAST($4 AS BIGINT)",
                    {ex->tenant().value, ex->text("rule_id"),
                     ex->whole("before_version", std::numeric_limits<std::int64_t>::max()), ex->whole("limit")}},
                   ex->then([ex](const rows& found) {
                     if (found.empty() && !ex->has("before_version"))
                       return ex->refuse({error_code::not_found, "There is no such rule."});
                     json versions = json::array();
                     for (const auto& row : found.values)
                       versions.push_back(
                           {{"version", as_int(row[0])},
                            {"change_type", as_text(row[1])},
                            {"change_summary", as_text(row[2])},
                            {"created_at", time_or_null(as_int(row[3]))},
                            {"created_by", as_text(row[4])},
                            {"snapshot", rule::without_secrets(parse_json(as_text(row[5])).value_or(json(nullptr)))}});
                     ex->ok({{"rule_id", ex->text("rule_id")}, {"versions", versions}});
                   }));
}

route rule_route(std::string method, std::string path, std::string operation, std::string summary,
                 std::string permission, route_handler handler) {
  return on_resource({.method = std::move(method),
                      .path = std::move(path),
                      .operation = std::move(operation),
                      .tag = "rules",
                      .summary = std::move(summary),
                      .answers = {.type = object({required("rule", rule_shape())})},
                      .handler = std::move(handler)},
                     std::move(permission), "rule", rule_id_parameter().type);
}

void add_change_routes(route_table& table, const route_deps& deps) {
  auto create = rule_route("POST", "/cep/rules", "create_rule", "Adds a rule and puts it live.", "cep:create",
                           [deps](const exchange_ptr& ex) { create_rule(deps, ex, std::move(ex->body())); });
  create.notes = "`rule_id` may be chosen (a UUID); fields that only answers hold are ignored.";
  create.body = body_rule{.type = rule_definition_shape()};
  create.answers.status = 201;
  create.errors = {error_code::conflict, error_code::address_refused};
  table.add(std::move(create));

  auto form = rule_route("POST", "/cep/rules/form", "create_rule_from_form",
                         "Adds a rule from the fields of the rule form.", "cep:create", [deps](const exchange_ptr& ex) {
                           auto folded = fold_form(ex->body());
                           if (!folded) return ex->refuse(folded.error());
                           create_rule(deps, ex, std::move(*folded));
                         });
  form.notes = "The composite condition is folded into trigger_spec; several actions become one of type multi_action.";
  form.body = body_rule{.type = form_shape()};
  form.answers.status = 201;
  form.errors = {error_code::address_refused};
  table.add(std::move(form));

  auto update = rule_route("PUT", "/cep/rules/{rule_id}", "update_rule",
                           "Changes the fields that are sent and puts the result live as a new version.", "cep:update",
                           [deps](const exchange_ptr& ex) { update_rule(deps, ex); });
  update.notes = "trigger_spec and action_spec are replaced as a whole. What changes nothing makes no new version.";
  update.body = body_rule{.type = open_object()};
  update.body->type.schema = {{"type", "object"}, {"description", "Any fields of a rule."}};
  for (auto& p : version_parameters()) update.parameters.push_back(std::move(p));
  update.parameters.push_back(force_parameter());
  update.errors = {error_code::not_found, error_code::conflict, error_code::address_refused};
  table.add(std::move(update));

  auto remove =
      rule_route("DELETE", "/cep/rules/{rule_id}", "delete_rule", "Stops a rule and hides it; its history stays.",
                 "cep:delete", [deps](const exchange_ptr& ex) { delete_rule(deps, ex); });
  for (auto& p : version_parameters()) remove.parameters.push_back(std::move(p));
  remove.parameters.push_back(force_parameter());
  remove.answers.type = object({required("rule_id", text()), required("deleted", flag())});
  remove.errors = {error_code::not_found, error_code::conflict};
  table.add(std::move(remove));

  table.add(rule_route("POST", "/cep/rules/{rule_id}/enable", "enable_rule", "Lets a rule act.", "cep:update",
                       [deps](const exchange_ptr& ex) { set_active(deps, ex, true); }));
  table.add(rule_route("POST", "/cep/rules/{rule_id}/disable", "disable_rule", "Stops a rule from acting.",
                       "cep:update", [deps](const exchange_ptr& ex) { set_active(deps, ex, false); }));

  auto back = rule_route("POST", "/cep/rules/{rule_id}/rollback", "roll_back_rule",
                         "Puts the content of an earlier version live as a new version.", "cep:update",
                         [deps](const exchange_ptr& ex) { roll_back(deps, ex); });
  back.parameters.push_back(force_parameter());
  back.body = body_rule{
      .type = object({optional("version", whole(0, 1e15).or_else(0).described("0: the one before the current.")),
                      optional("summary", text(0, summary_length_max).or_else(""))}),
      .required = false};
  back.errors = {error_code::not_found, error_code::validation_error, error_code::conflict};
  table.add(std::move(back));
}

} // namespace

void add_rule_routes(route_table& table, const route_deps& deps) {
  auto list = rule_route("GET", "/cep/rules", "list_rules", "The rules, filtered and sorted.", "cep:read",
                         [deps](const exchange_ptr& ex) { list_rules(deps, ex); });
  list.parameters = rule_list_parameters();
  list.answers.type = object({required("rules", list_of(rule_shape()))});
  table.add(std::move(list));
  table.add(rule_route("GET", "/cep/rules/{rule_id}", "get_rule", "One rule, its version as ETag.", "cep:read",
                       [deps](const exchange_ptr& ex) { get_rule(deps, ex); }));
  auto versions =
      rule_route("GET", "/cep/rules/{rule_id}/versions", "list_rule_versions", "A rule's versions, latest first.",
                 "cep:read", [deps](const exchange_ptr& ex) { list_versions(deps, ex); });
  versions.parameters.push_back(in_query("limit", whole(1, 200).or_else(50)));
  versions.parameters.push_back(in_query("before_version", whole(1, 1e15)));
  versions.answers.type = object({required("rule_id", text()), required("versions", list_of(open_object()))});
  table.add(std::move(versions));
  add_change_routes(table, deps);
}

} // namespace tobit::http
