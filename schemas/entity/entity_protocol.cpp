#include "schemas/entity/entity_protocol.hpp"

namespace tobit::entity {

namespace {

json optional_number(const std::optional<std::int64_t>& number) { return number ? json(*number) : json(nullptr); }

std::optional<std::int64_t> optional_number(const json& in, const char* name) {
  auto field = in.find(name);
  if (field == in.end() || field->is_null()) return std::nullopt;
  return field->get<std::int64_t>();
}

} // namespace

void to_json(json& out, const define_entity& m) {
  out = json{{"body", m.body},
             {"change", m.change},
             {"expected_version", optional_number(m.expected_version)},
             {"summary", m.summary}};
  if (m.unless_same) out["unless_same"] = true;
}

void from_json(const json& in, define_entity& m) {
  m.body = in.value("body", json());
  m.change = in.value("change", std::string("update"));
  m.expected_version = optional_number(in, "expected_version");
  m.summary = in.value("summary", std::string{});
  m.unless_same = in.value("unless_same", false);
}

void to_json(json& out, const definition_live& m) {
  out = json{{"version", m.version}, {"definition", m.definition}};
  if (m.unchanged) out["unchanged"] = true;
}

void from_json(const json& in, definition_live& m) {
  m.version = in.value("version", std::int64_t{0});
  m.definition = in.value("definition", json());
  m.unchanged = in.value("unchanged", false);
}

void to_json(json& out, const delete_entity& m) {
  out = json{{"expected_version", optional_number(m.expected_version)}};
}

void from_json(const json& in, delete_entity& m) { m.expected_version = optional_number(in, "expected_version"); }

void register_entity_messages() {
  register_messages<define_entity, definition_live, rollback_entity, delete_entity, control_entity, entity_done,
                    wake_entity, effect_settled, inspect_entity, entity_view>();
}

} // namespace tobit::entity
