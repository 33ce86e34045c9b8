#include "config/templates/rule_template.hpp"
#include "http/routes/route_deps.hpp"
#include "http/routes/rule_answer.hpp"
#include "http/routes/rule_check.hpp"
#include "schemas/rule/rule_protocol.hpp"
#include "schemas/rule/rule_secrets.hpp"

namespace tobit::http {

namespace {

json shown_template(const config::rule_template& one) {
  return {{"id", one.id},
          {"title", one.title},
          {"category", one.category},
          {"description", one.description},
          {"trigger_type", one.rule.value("trigger_type", "")},
          {"parameters", one.parameters}};
}

const config::rule_template* wanted(const exchange_ptr& ex) {
  const auto* one = config::find_template(ex->text("template_id"));
  if (!one)
    ex->refuse({error_code::not_found, "There is no template '" + ex->text("template_id").substr(0, 100) +
                                           "'; GET /cep/templates lists them."});
  return one;
}

void list_templates(const exchange_ptr& ex) {
  json all = json::array();
  for (const auto& one : config::rule_templates())
    if (!ex->has("category") || ex->text("category") == one.category) all.push_back(shown_template(one));
  ex->ok({{"templates", std::move(all)}});
}

void get_template(const exchange_ptr& ex) {
  const auto* one = wanted(ex);
  if (!one) return;
  auto shown = shown_template(*one);
  shown["rule"] = one->rule;
  shown["example"] = one->example;
  ex->ok({{"template", std::move(shown)}});
}

void instantiate(const route_deps& deps, const exchange_ptr& ex) {
  const auto* one = wanted(ex);
  if (!one) return;
  auto& body = ex->body();
  auto rule = config::fill_in(*one, body.value("parameters", json::object()));
  if (!rule) return ex->refuse(rule.error());
  const auto changes = body.value("changes", json::object());
  for (const auto& [name, value] : changes.items()) (*rule)[name] = value;
  if (body.value("dry_run", false)) {
    if (!deps.kinds) return ex->refuse(error{error_code::not_implemented});
    auto checked = check_rule(deps, *ex, *rule);
    if (!checked) return ex->refuse(checked.error());
    return ex->ok({{"rule", rule::without_secrets(checked->compiled.definition)},
                   {"dry_run", true},
                   {"next_ticks", next_ticks(*checked, ex->now(), 5)}});
  }
  entity_ref ref{std::string(rule::kind_name), ex->tenant(), new_uuid()};
  if (const auto given = rule->find("rule_id"); given != rule->end() && given->is_string())
    ref.key = given->get<std::string>();
  entity::define_entity wish;
  wish.body = std::move(*rule);
  wish.change = "create";
  wish.expected_version = 0;
  wish.summary = "template " + one->id;
  deps.entities->ask(ref, ex->context(), message::of(std::move(wish)),
                     ex->then([ex, ref](const message& answer) { answer_rule_change(ex, 201, ref, answer); }));
}

route template_route(std::string method, std::string path, std::string operation, std::string summary,
                     std::string permission, route_handler handler) {
  route r{.method = std::move(method),
          .path = std::move(path),
          .operation = std::move(operation),
          .tag = "rules",
          .summary = std::move(summary)};
  r.needs = access::permitted(std::move(permission), "rule");
  if (r.path.find("{template_id}") != std::string::npos) {
    r.parameters.push_back(in_path("template_id", text(1, 100)));
    r.errors.push_back(error_code::not_found);
  }
  r.handler = std::move(handler);
  return r;
}

} // namespace

void add_template_routes(route_table& table, const route_deps& deps) {
  const auto about = open_object({required("id", text()), required("title", text()), required("category", text()),
                                  required("parameters", open_object())});
  auto list = template_route("GET", "/cep/templates", "list_rule_templates", "Rules with blanks to fill in.",
                             "cep:read", list_templates);
  list.parameters.push_back(in_query("category", text(1, 50)));
  list.answers.type = object({required("templates", list_of(about))});
  table.add(std::move(list));

  auto one =
      template_route("GET", "/cep/templates/{template_id}", "get_rule_template",
                     "One template: its parameters as JSON Schema, the rule, an example.", "cep:read", get_template);
  one.answers.type = object({required("template", about)});
  table.add(std::move(one));

  auto make = template_route("POST", "/cep/templates/{template_id}/instantiate", "instantiate_rule_template",
                             "Fills a template in and puts the rule live.", "cep:create",
                             [deps](const exchange_ptr& ex) { instantiate(deps, ex); });
  make.notes =
      "`changes` replaces fields of the rule afterwards, e.g. rule_name or action_spec. With `dry_run` the rule "
      "is only checked and shown (200).";
  make.body = body_rule{.type = object({optional("parameters", open_object()), optional("changes", open_object()),
                                        optional("dry_run", flag())}),
                        .required = false};
  make.answers.status = 201;
  make.answers.also = {200};
  make.answers.type = open_object({required("rule", open_object())});
  make.errors = {error_code::not_found, error_code::conflict, error_code::address_refused};
  table.add(std::move(make));
}

} // namespace tobit::http
