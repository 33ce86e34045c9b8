#include "schemas/rule/rule_secrets.hpp"

#include "schemas/redaction.hpp"

namespace tobit::rule {

namespace {

/// The places of a rule that send something, in a fixed order.
std::vector<json::json_pointer> senders(const json& rule) {
  std::vector<json::json_pointer> places;
  const auto add = [&](const std::string& pointer) {
    const json::json_pointer at(pointer);
    if (rule.contains(at) && rule.at(at).is_object()) places.push_back(at);
  };
  add("/trigger_spec");
  add("/action_spec");
  for (const std::string list : {"/action_spec", "/action_spec/actions"}) {
    const json::json_pointer at(list);
    if (!rule.contains(at) || !rule.at(at).is_array()) continue;
    for (std::size_t i = 0; i < rule.at(at).size(); ++i) add(list + "/" + std::to_string(i));
  }
  return places;
}

/// Calls `visit(value, name of the table, name)` for every text that may be secret.
template <class Visit>
void each_secret(json& sender, Visit&& visit) {
  for (const char* table : {"headers", "params"}) {
    const auto values = sender.find(table);
    if (values == sender.end() || !values->is_object()) continue;
    for (auto entry = values->begin(); entry != values->end(); ++entry) {
      const bool secret = *table == 'h' ? !is_plain_header(entry.key()) : is_secret_name(entry.key());
      if (secret && entry->is_string()) visit(*entry, table, entry.key());
    }
  }
}

} // namespace

json without_secrets(json definition) {
  for (const auto& place : senders(definition))
    each_secret(definition[place], [](json& value, const char*, const std::string&) { value = redacted; });
  return definition;
}

json with_secrets_of(json body, const json& before) {
  for (const auto& place : senders(body)) {
    // A list of actions is stored as a multi_action, one action as itself.
    auto there = place;
    if (!before.contains(there)) {
      const auto text = place.to_string();
      constexpr std::string_view list = "/action_spec/";
      if (text.starts_with(list)) there = json::json_pointer("/action_spec/actions/" + text.substr(list.size()));
    }
    if (!before.contains(there) || !before.at(there).is_object()) continue;
    auto& sender = body[place];
    const auto& old = before.at(there);
    if (sender.value("endpoint", json()) != old.value("endpoint", json())) continue;
    each_secret(sender, [&](json& value, const char* table, const std::string& name) {
      const auto values = old.find(table);
      if (value == redacted && values != old.end() && values->is_object() && values->contains(name))
        value = (*values)[name];
    });
  }
  return body;
}

} // namespace tobit::rule
