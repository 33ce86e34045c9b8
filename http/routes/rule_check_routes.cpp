#include "http/routes/route_deps.hpp"
#include "http/routes/rule_answer.hpp"
#include "http/routes/rule_check.hpp"
#include "schemas/rule/rule_protocol.hpp"
#include "schemas/rule/rule_secrets.hpp"

#include <set>

namespace tobit::http {

using namespace storage;

namespace {

constexpr std::size_t ticks_shown = 5, suggestions_max = 200, payloads_looked_at = 200;

json complaint(const error& why) {
  return {{"error", describe(why.code).name}, {"message", why.text()}, {"pointer", why.pointer}};
}

/// A refusal of what was checked is a result; trouble of the node is not.
bool about_the_rule(const error& why) { return describe(why.code).http_status < 500; }

json shown(const exchange& ex, const checked_rule& rule) {
  return {{"valid", true},
          {"errors", json::array()},
          {"rule", rule::without_secrets(rule.compiled.definition)},
          {"next_ticks", next_ticks(rule, ex.now(), ticks_shown)}};
}

void answer_check(const route_deps& deps, const exchange_ptr& ex, const json& body, const json* before) {
  auto checked = check_rule(deps, *ex, body, before);
  if (!checked && !about_the_rule(checked.error())) return ex->refuse(checked.error());
  if (!checked)
    return ex->ok(
        {{"valid", false}, {"errors", {complaint(checked.error())}}, {"rule", nullptr}, {"next_ticks", json::array()}});
  auto answer = shown(*ex, *checked);
  if (before) answer["changed"] = checked->compiled.definition != *before;
  ex->ok(answer);
}

void validate(const route_deps& deps, const exchange_ptr& ex) {
  const auto id = ex->text("rule_id");
  if (id.empty()) return answer_check(deps, ex, ex->body(), nullptr);
  deps.store->read({"SELECT d.body" TOBIT_RULE_TABLES
                    " WHERE e.kind = 'rule' AND e.tenant = $1 AND e.entity_key = $2 AND e.deleted_at IS NULL",
                    {ex->tenant().value, id}},
                   ex->then([deps, ex, id](const rows& found) {
                     if (found.empty()) return ex->refuse({error_code::not_found, "There is no such rule."});
                     const auto before = parse_json(as_text(found[0][0]));
                     if (!before) return ex->refuse(before.error());
                     auto body = ex->body();
                     body["rule_id"] = id;
                     answer_check(deps, ex, body, &*before);
                   }));
}

/// The rule that a preview means: the trigger alone, with conditions of their own if they were given.
json rule_of_preview(const json& body) {
  auto spec = body["trigger_spec"];
  if (const auto conditions = body.find("conditions"); conditions != body.end() && !conditions->is_null()) {
    spec["conditions"] = *conditions;
    spec["logic"] = body.value("logic", "AND");
  }
  return {{"rule_name", "preview"}, {"trigger_type", body.value("trigger_type", "event")}, {"trigger_spec", spec}};
}

void preview(const route_deps& deps, const exchange_ptr& ex) {
  auto checked = check_rule(deps, *ex, rule_of_preview(ex->body()));
  if (!checked) return ex->refuse(checked.error());
  auto answer = shown(*ex, *checked);
  answer["trigger_spec"] = answer["rule"]["trigger_spec"];
  answer.erase("rule");
  const auto payload = ex->body().find("test_payload");
  if (payload != ex->body().end() && !payload->is_null()) {
    auto simulation = rehearse_rule(deps, ex, *checked, *payload);
    if (!simulation) return ex->refuse(simulation.error());
    answer["matched"] = (*simulation)["condition_evaluated"];
    answer["references"] = (*simulation)["references"];
  }
  ex->ok(answer);
}

void validate_condition(const route_deps& deps, const exchange_ptr& ex) {
  const auto& body = ex->body();
  auto checked = check_rule(
      deps, *ex, {{"rule_name", "condition"}, {"trigger_type", "event"}, {"trigger_spec", body["condition"]}});
  if (!checked) return ex->refuse(checked.error());
  auto simulation = rehearse_rule(deps, ex, *checked, body.value("payload", json::object()));
  if (!simulation) return ex->refuse(simulation.error());
  ex->ok({{"matched", (*simulation)["condition_evaluated"]}, {"references", (*simulation)["references"]}});
}

/// The six comparisons that the contract knows; rules take further operators.
json condition_templates() {
  json all = json::array();
  const auto add = [&](const char* id, const char* name, const char* op, const char* about) {
    all.push_back({{"id", id},
                   {"name", name},
                   {"operator", op},
                   {"description", about},
                   {"example", {{"field", "cpu_usage"}, {"op", op}, {"value", 80}}}});
  };
  add("gt", "Greater than", ">", "The value is above the threshold.");
  add("lt", "Less than", "<", "The value is below the threshold.");
  add("eq", "Equal", "==", "The value is exactly this.");
  add("ne", "Not equal", "!=", "The value is anything else.");
  add("gte", "At least", ">=", "The value is the threshold or above.");
  add("lte", "At most", "<=", "The value is the threshold or below.");
  return all;
}

/// The dotted paths of what is no object in a payload, bounded.
void collect_paths(const json& value, const std::string& path, std::set<std::string>& into, int depth) {
  if (into.size() >= suggestions_max * 4 || path.size() > 200) return;
  if (value.is_object() && depth < 6) {
    for (const auto& [name, member] : value.items())
      collect_paths(member, path.empty() ? name : path + "." + name, into, depth + 1);
  } else if (!path.empty()) {
    into.insert(path);
  }
}

void suggest_fields(const route_deps& deps, const exchange_ptr& ex) {
  deps.store->read({"SELECT payload FROM rule_event WHERE tenant = $1 ORDER BY triggered_at DESC LIMIT $2",
                    {ex->tenant().value, static_cast<std::int64_t>(payloads_looked_at)}},
                   ex->then([ex](const rows& found) {
                     std::set<std::string> paths;
                     for (const auto& row : found.values)
                       if (const auto payload = parse_json(as_text(row[0]))) collect_paths(*payload, "", paths, 0);
                     json names = json::array();
                     for (const auto& path : paths)
                       if (path.find(ex->text("search")) != std::string::npos && names.size() < suggestions_max)
                         names.push_back(path);
                     ex->ok({{"suggestions", std::move(names)}});
                   }));
}

route check_route(std::string method, std::string path, std::string operation, std::string summary, shape answer,
                  route_handler handler) {
  return {.method = std::move(method),
          .path = std::move(path),
          .operation = std::move(operation),
          .tag = "rules",
          .summary = std::move(summary),
          .needs = access::permitted("cep:read", "rule"),
          .answers = {.type = std::move(answer)},
          .handler = std::move(handler)};
}

} // namespace

void add_rule_check_routes(route_table& table, const route_deps& deps) {
  const auto ticks = required("next_ticks", list_of(time_text()).described("The next five of a schedule."));
  auto check = check_route("POST", "/cep/rules/validate", "validate_rule",
                           "Checks a rule without saving it and shows it as it would be saved.",
                           object({required("valid", flag()), required("errors", list_of(open_object())),
                                   required("rule", anything()), ticks, optional("changed", flag())}),
                           [deps](const exchange_ptr& ex) { validate(deps, ex); });
  check.notes = "An invalid rule is an answer, not an error. With `rule_id` the body is a change of that rule and "
                "`changed` tells whether it would make a new version.";
  check.parameters = {in_query("rule_id", text(1, entity_key_length_max))};
  check.body = body_rule{.type = open_object()};
  check.errors = {error_code::not_found};
  table.add(std::move(check));

  auto look =
      check_route("POST", "/cep/rules/preview", "preview_rule", "Checks a trigger and tells what it says of a payload.",
                  open_object({required("trigger_spec", open_object()), ticks, optional("matched", flag()),
                               optional("references", anything())}),
                  [deps](const exchange_ptr& ex) { preview(deps, ex); });
  look.body = body_rule{
      .type = object({required("trigger_spec", open_object()), optional("trigger_type", text(1, 50).or_else("event")),
                      optional("conditions", list_of(open_object(), 100).or_null()),
                      optional("logic", choice({"AND", "OR", "NOT"}).or_else("AND")),
                      optional("test_payload", anything())})};
  look.errors = {error_code::address_refused};
  table.add(std::move(look));

  auto condition =
      check_route("POST", "/cep/validate/condition", "validate_condition", "Tells what a condition says of a payload.",
                  object({required("matched", flag()), required("references", anything())}),
                  [deps](const exchange_ptr& ex) { validate_condition(deps, ex); });
  condition.body = body_rule{.type = object({required("condition", open_object()), optional("payload", anything())})};
  table.add(std::move(condition));

  table.add(check_route("GET", "/cep/condition-templates", "list_condition_templates", "The six comparisons.",
                        object({required("templates", list_of(open_object()))}), [](const exchange_ptr& ex) {
                          ex->ok({{"templates", condition_templates()}});
                        }));
  auto fields = check_route(
      "GET", "/cep/field-suggestions", "suggest_fields", "Names of fields that occurred in what rules stored lately.",
      object({required("suggestions", list_of(text()))}), [deps](const exchange_ptr& ex) { suggest_fields(deps, ex); });
  fields.parameters = {in_query("search", text(0, 200).described("Part of the name."))};
  table.add(std::move(fields));
}

} // namespace tobit::http
