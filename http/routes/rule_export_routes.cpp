#include "config/yaml_text.hpp"
#include "http/routes/paging.hpp"
#include "http/routes/route_deps.hpp"
#include "http/routes/rule_answer.hpp"

#include <array>

namespace tobit::http {

using namespace storage;

namespace {

constexpr std::int64_t rules_max = 10'000;

/// Without what only answers hold, so that the same file can be applied again.
json portable(json rule) {
  static constexpr std::array<const char*, 7> answered{"tenant_id",  "version",    "status",    "last_error",
                                                       "created_at", "created_by", "updated_at"};
  for (const auto* name : answered) rule.erase(name);
  return rule;
}

void answer_rules(const exchange_ptr& ex, const rows& found) {
  if (static_cast<std::int64_t>(found.size()) > rules_max)
    return ex->refuse({error_code::payload_too_large,
                       "There are more than 10,000 rules; `tobit rule export` reads them page by page."});
  std::vector<json> rules;
  for (const auto& row : found.values) rules.push_back(portable(rule_of_row(ex->tenant(), row)));
  const bool yaml = ex->text("format") == "yaml";
  response file;
  file.status = 200;
  file.headers = {
      {"Content-Type", yaml ? "application/yaml" : "application/json"},
      {"Content-Disposition", yaml ? "attachment; filename=\"rules.yaml\"" : "attachment; filename=\"rules.json\""}};
  file.body = yaml ? config::to_yaml_documents(rules) : to_text(json{{"rules", std::move(rules)}});
  ex->send(std::move(file));
}

} // namespace

void add_rule_export_routes(route_table& table, const route_deps& deps) {
  route r{.method = "GET", .path = "/cep/rules/export", .operation = "export_rules", .tag = "rules"};
  r.summary = "All rules as one file that can be applied, imported or put into rules_dir.";
  r.notes =
      "Values of headers and secret parameters are shown as `***`: applied to the rule that has them they stay, a "
      "new rule needs them written out.";
  r.needs = access::permitted("cep:read", "rule");
  r.parameters = {in_query("format", choice({"yaml", "json"}).or_else("yaml")), in_query("trigger_type", text(1, 50)),
                  in_query("q", text(0, 200).described("Part of the name."))};
  r.answers.enveloped = false;
  r.answers.content_type = "application/yaml";
  r.handler = [deps](const exchange_ptr& ex) {
    const auto words = ex->text("q");
    deps.store->read({"SELECT " TOBIT_RULE_COLUMNS TOBIT_RULE_TABLES
                      " WHERE e.kind = 'rule' AND e.tenant = $1 AND e.deleted_at IS NULL"
                      " AND (CAST($2 AS TEXT) = '' OR e.label = $2) AND LOWER(e.name) LIKE $3 ESCAPE '\\'"
                      " ORDER BY e.name, e.entity_key LIMIT CAST($4 AS BIGINT)",
                      {ex->tenant().value, ex->text("trigger_type"), like_pattern(words), rules_max + 1}},
                     ex->then([ex](const rows& found) { answer_rules(ex, found); }));
  };
  table.add(std::move(r));
}

} // namespace tobit::http
