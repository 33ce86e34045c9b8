#include "node/cli/rule_list.hpp"

#include <utility>

namespace tobit::cli {

namespace {

/// Pages of one list that are followed; a node that never ends is not believed.
constexpr std::size_t pages_max = 100'000;

bool looks_like_id(std::string_view text) noexcept {
  return text.size() == 36 && text[8] == '-' && text[13] == '-' && text[18] == '-' && text[23] == '-';
}

outcome<json> get_rule(node_client& node, const std::string& id) {
  auto answer = node.call("GET", "/cep/rules/" + percent_encode(id));
  if (!answer) return tl::unexpected<node_failure>(std::move(answer.error()));
  return answer->data.is_object() && answer->data.contains("rule") ? answer->data["rule"] : answer->data;
}

tl::unexpected<node_failure> refusal(std::string name, std::string message) {
  node_failure failure;
  failure.name = std::move(name);
  failure.message = std::move(message);
  return tl::unexpected<node_failure>(std::move(failure));
}

} // namespace

std::string text_at(const json& object, std::string_view name) {
  if (!object.is_object()) return {};
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return {};
  return found->is_string() ? found->get<std::string>() : to_text(*found);
}

outcome<std::vector<json>> fetch_all(node_client& node, const std::string& path, const std::string& field) {
  std::vector<json> rows;
  std::string cursor;
  for (std::size_t page = 0; page < pages_max; ++page) {
    const auto separator = path.find('?') == std::string::npos ? "?" : "&";
    auto answer = node.call("GET", cursor.empty() ? path : path + separator + "cursor=" + percent_encode(cursor));
    if (!answer) return tl::unexpected<node_failure>(std::move(answer.error()));
    if (answer->data.is_object() && answer->data.contains(field) && answer->data[field].is_array())
      for (auto& row : answer->data[field]) rows.push_back(std::move(row));
    cursor = text_at(answer->metadata, "next_cursor");
    if (cursor.empty()) break;
  }
  return rows;
}

outcome<json> find_rule(node_client& node, const std::string& id_or_name) {
  if (looks_like_id(id_or_name)) {
    auto found = get_rule(node, id_or_name);
    if (found || found.error().status != 404) return found;
  }
  auto rules = fetch_all(node, "/cep/rules?limit=500", "rules");
  if (!rules) return tl::unexpected<node_failure>(std::move(rules.error()));
  const json* found = nullptr;
  for (const auto& rule : *rules) {
    if (text_at(rule, "rule_name") != id_or_name && text_at(rule, "rule_id") != id_or_name) continue;
    if (found) return refusal("CONFLICT", "Several rules are called '" + id_or_name + "'; give the rule's id.");
    found = &rule;
  }
  if (!found)
    return refusal("NOT_FOUND", "No rule has the id or the name '" + id_or_name + "'; see `tobit rule list`.");
  return get_rule(node, text_at(*found, "rule_id"));
}

} // namespace tobit::cli
