#include "http/routes/rule_answer.hpp"

#include "http/codec/envelope.hpp"
#include "http/routes/file_ownership.hpp"
#include "http/routes/route_deps.hpp"
#include "schemas/rule/rule_protocol.hpp"
#include "schemas/rule/rule_secrets.hpp"

#include <charconv>

namespace tobit::http {

using namespace storage;

namespace {

constexpr auto unknown_rule = "There is no such rule.";

} // namespace

json rule_of_row(const tenant_id& tenant, const std::vector<value>& row) {
  auto body = parse_json(as_text(row[7]));
  json rule = body && body->is_object() ? rule::without_secrets(std::move(*body)) : json::object();
  rule["rule_id"] = as_text(row[0]);
  rule["tenant_id"] = tenant.value;
  rule["version"] = as_int(row[1]);
  rule["created_at"] = time_or_null(as_int(row[2]));
  rule["created_by"] = as_text(row[3]);
  rule["updated_at"] = time_or_null(as_int(row[4]));
  rule["status"] = !is_null(row[5]) ? "quarantined" : rule.value("is_active", true) ? "active" : "inactive";
  if (!is_null(row[5])) rule["last_error"] = as_text(row[6]);
  return rule;
}

json rule_of_change(const entity_ref& ref, const entity::definition_live& live) {
  json rule = live.definition.is_object() ? rule::without_secrets(live.definition) : json::object();
  rule["rule_id"] = ref.key;
  rule["tenant_id"] = ref.tenant.value;
  rule["version"] = live.version;
  rule["status"] = rule.value("is_active", true) ? "active" : "inactive";
  return rule;
}

shape rule_shape() {
  return open_object({required("rule_id", uuid_text()), required("rule_name", text()), required("trigger_type", text()),
                      required("trigger_spec", open_object()), required("action_spec", anything()),
                      required("is_active", flag()), required("version", whole(1, 1e15)), required("tenant_id", text()),
                      required("status", choice({"active", "inactive", "quarantined"})),
                      required("created_at", time_text()), required("created_by", text()),
                      required("updated_at", time_text())});
}

shape rule_definition_shape() {
  auto s =
      open_object({required("rule_name", text(1, 200)), optional("description", text(0, 5'000).or_null()),
                   required("trigger_type", choice({"schedule", "metric", "event", "anomaly", "pattern"})),
                   required("trigger_spec", open_object()), optional("action_spec", anything()),
                   optional("severity", anything()), optional("labels", anything()), optional("timezone", anything()),
                   optional("is_active", flag()), optional("rule_id", uuid_text().or_null())});
  s.schema = {{"$ref", "#/components/schemas/RuleDefinition"}};
  return s;
}

entity_ref rule_ref(const exchange& ex) { return {std::string(rule::kind_name), ex.tenant(), ex.text("rule_id")}; }

parameter rule_id_parameter() { return in_path("rule_id", text(1, entity_key_length_max)); }

std::vector<parameter> version_parameters() {
  return {
      in_query("expected_version", whole(1, 1e15).described("Refuse the change unless this is the current version.")),
      in_header("if-match", text(0, 40).described("The same, as the ETag of a rule: \"7\"."))};
}

result<std::optional<std::int64_t>> expected_version(const exchange& ex) {
  if (ex.has("expected_version")) return std::optional(ex.whole("expected_version"));
  std::string_view tag = ex.text("if-match");
  if (tag.starts_with("W/")) tag.remove_prefix(2); // a compressed answer carried the weak form
  if (tag.empty() || tag == "*") return std::optional<std::int64_t>{};
  if (tag.size() > 2 && tag.front() == '"' && tag.back() == '"') tag = tag.substr(1, tag.size() - 2);
  std::int64_t version = 0;
  const auto [end, wrong] = std::from_chars(tag.data(), tag.data() + tag.size(), version);
  if (wrong != std::errc{} || end != tag.data() + tag.size() || version < 1)
    return fail(error_code::validation_error, "The header If-Match is the ETag of a rule, for example \"7\".");
  return std::optional(version);
}

void answer_rule_change(const exchange_ptr& ex, int status, const entity_ref& ref, const message& answer) {
  const auto* live = answer.as<entity::definition_live>();
  if (!live) return ex->refuse(error{error_code::internal_server_error});
  header_list further{{"ETag", '"' + std::to_string(live->version) + '"'}};
  if (status == 201) further.emplace_back("Location", "/cep/rules/" + ref.key);
  ex->answer(status, {{"rule", rule_of_change(ref, *live)}}, nullptr, std::move(further));
}

void with_changeable_rule(const route_deps& deps, const exchange_ptr& ex, std::function<void(std::int64_t)> go_on) {
  unless_file_owns(deps, ex, rule_ref(*ex), "rule",
                   [deps, ex, go_on = std::move(go_on)] { with_rule_version(deps, ex, go_on); });
}

void with_rule_version(const route_deps& deps, const exchange_ptr& ex, std::function<void(std::int64_t)> go_on) {
  const auto ref = rule_ref(*ex);
  deps.store->read(
      {"SELECT version FROM entity WHERE kind = $1 AND tenant = $2 AND entity_key = $3 AND deleted_at IS NULL",
       {ref.kind, ref.tenant.value, ref.key}},
      ex->then([ex, go_on = std::move(go_on)](const rows& found) {
        if (found.empty()) return ex->refuse({error_code::not_found, unknown_rule});
        go_on(as_int(found[0][0]));
      }));
}

} // namespace tobit::http
