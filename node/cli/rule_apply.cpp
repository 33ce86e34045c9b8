#include "node/cli/rule_apply.hpp"

#include "node/cli/definition_file.hpp"
#include "node/cli/progress_bar.hpp"
#include "node/cli/request_window.hpp"
#include "node/cli/rule_list.hpp"
#include "node/cli/text_table.hpp"

#include <array>
#include <map>
#include <optional>
#include <ostream>
#include <set>
#include <utility>

namespace tobit::cli {

namespace {

enum class step { create, update, nothing }; // an update may turn out to be nothing

/// One rule of the files and what becomes of it.
struct item {
  json wanted;
  std::string id, name;
  step todo = step::create;
  std::string version; ///< of the rule that is there
  bool by_id = false;  ///< its id was given: an update that finds nothing becomes a creation
  std::optional<node_failure> failure;
};

/// Fields that only answers hold; a listed rule is applied again without them.
constexpr std::array<const char*, 7> answered_fields{"tenant_id",  "version",    "status",    "last_error",
                                                     "created_at", "created_by", "updated_at"};

std::string what(const item& one) { return one.name.empty() ? one.id : one.name; }

node_failure local_refusal(std::string message) {
  node_failure failure;
  failure.name = "VALIDATION_ERROR";
  failure.message = std::move(message);
  return failure;
}

/// Every field that is wanted has exactly the wanted value.
bool already_so(const json& current, const json& wanted) {
  for (const auto& [name, value] : wanted.items())
    if (!current.contains(name) || current[name] != value) return false;
  return true;
}

class application {
public:
  application(const command_line& line, const apply_options& options, node_client& node, std::vector<json> wanted)
      : line_(line), options_(options), node_(node) {
    for (auto& definition : wanted)
      items_.push_back({std::move(definition), {}, {}, step::create, {}, false, std::nullopt});
  }

  int run() {
    if (auto planned = plan(); !planned) return report(line_, planned.error());
    if (options_.dry_run)
      look_ahead();
    else
      carry_out();
    return show();
  }

private:
  /// Decides what each item needs, with one look at the rules that are there.
  outcome<void> plan() {
    for (auto& one : items_) {
      one.id = text_at(one.wanted, "rule_id");
      one.name = text_at(one.wanted, "rule_name");
      one.by_id = !one.id.empty();
      one.todo = one.by_id ? step::update : step::create;
      for (const auto* field : answered_fields) one.wanted.erase(field);
    }
    auto rules = fetch_all(node_, "/cep/rules?limit=500", "rules");
    if (!rules) return tl::unexpected<node_failure>(std::move(rules.error()));
    std::multimap<std::string, const json*> by_name, by_id;
    for (const auto& rule : *rules) {
      by_name.emplace(text_at(rule, "rule_name"), &rule);
      by_id.emplace(text_at(rule, "rule_id"), &rule);
    }
    std::set<std::string> names;
    for (auto& one : items_) {
      if (one.by_id)
        match(one, by_id, one.id);
      else if (one.name.empty())
        one.failure = local_refusal("It has neither rule_name nor rule_id; give it a name.");
      else if (!names.insert(one.name).second)
        one.failure = local_refusal("This name stands in the files twice; give each rule its own.");
      else
        match(one, by_name, one.name);
    }
    return {};
  }

  static void match(item& one, const std::multimap<std::string, const json*>& known, const std::string& key) {
    const auto [first, last] = known.equal_range(key);
    if (first == last) return;
    if (std::next(first) != last) {
      one.failure = local_refusal("Several rules have this name; give the rule_id of the one that is meant.");
      return;
    }
    one.id = text_at(*first->second, "rule_id");
    one.version = text_at(*first->second, "version");
    one.todo = already_so(*first->second, one.wanted) ? step::nothing : step::update;
  }

  /// Asks the node what would become of each item.
  void look_ahead() {
    for (auto& one : items_) {
      if (one.failure || one.todo == step::nothing) continue;
      const auto whom = one.todo == step::update && !one.version.empty() ? "?rule_id=" + percent_encode(one.id) : "";
      auto body = one.wanted;
      if (one.todo == step::update) body.erase("rule_id");
      auto answer = node_.call("POST", "/cep/rules/validate" + whom, body);
      if (!answer) {
        if (answer.error().code == unreachable) lost_ = answer.error();
        one.failure = std::move(answer.error());
        if (lost_) return;
      } else if (text_at(answer->data, "valid") == "false") {
        const auto& errors = answer->data["errors"];
        one.failure = local_refusal(errors.empty() ? "" : text_at(errors[0], "message"));
        if (!errors.empty()) one.failure->pointer = text_at(errors[0], "pointer");
      } else if (one.todo == step::update && text_at(answer->data, "changed") == "false") {
        one.todo = step::nothing;
      }
    }
  }

  planned_request request_for(const item& one) const {
    if (one.todo == step::update) {
      auto change = one.wanted;
      change.erase("rule_id"); // stands in the path
      return {"PUT", "/cep/rules/" + percent_encode(one.id), to_text(change)};
    }
    return {"POST", "/cep/rules", to_text(one.wanted)};
  }

  void carry_out() {
    request_window window(node_, options_.parallel);
    progress_bar bar(*line_.around.err, line_.around.err_is_terminal && items_.size() > 1, line_.around.columns,
                     "rules", items_.size());
    std::size_t next = 0, done = 0;
    while (next < items_.size() || window.under_way() > 0) {
      for (; next < items_.size() && window.room() && !lost_; ++next) {
        if (items_[next].failure || items_[next].todo == step::nothing)
          ++done;
        else
          window.start(next, request_for(items_[next]));
      }
      if (lost_ && window.under_way() == 0) break;
      if (auto answer = window.next()) {
        if (take(window, answer->id, std::move(answer->answer))) ++done;
      }
      bar.advance(done);
    }
    for (; next < items_.size(); ++next)
      if (!items_[next].failure) items_[next].failure = *lost_;
  }

  /// Whether the item is settled.
  bool take(request_window& window, std::size_t id, outcome<node_answer> answer) {
    auto& one = items_[id];
    if (answer) {
      const auto& data = answer->data;
      const auto& rule = data.is_object() && data.contains("rule") ? data["rule"] : data;
      if (auto given = text_at(rule, "rule_id"); !given.empty()) one.id = given;
      // The node knows the defaults that a file leaves out: it may find that nothing changed.
      if (one.todo == step::update && !one.version.empty() && text_at(rule, "version") == one.version)
        one.todo = step::nothing;
      return true;
    }
    if (one.by_id && one.todo == step::update && answer.error().status == 404) {
      one.todo = step::create;
      window.start(id, request_for(one));
      return false;
    }
    if (answer.error().code == unreachable) lost_ = answer.error(); // the others would wait for the same
    one.failure = std::move(answer.error());
    return true;
  }

  static const char* word(const item& one, bool dry_run) {
    if (one.failure) return "refused";
    switch (one.todo) {
    case step::create:
      return dry_run ? "would create" : "created";
    case step::update:
      return dry_run ? "would update" : "updated";
    case step::nothing:
      break;
    }
    return "unchanged";
  }

  int show() const {
    std::map<std::string, std::size_t> counts;
    for (const auto& one : items_) ++counts[word(one, options_.dry_run)];
    if (line_.node->json)
      show_json(counts);
    else
      show_text(counts);
    if (lost_) return unreachable;
    return counts.count("refused") != 0 ? refused : ok;
  }

  void show_json(const std::map<std::string, std::size_t>& counts) const {
    json rows = json::array();
    for (const auto& one : items_) {
      json row{{"rule_name", one.name}, {"rule_id", one.id}, {"result", word(one, options_.dry_run)}};
      if (one.failure) row.update(to_json(*one.failure));
      rows.push_back(std::move(row));
    }
    *line_.around.out << to_text(json{{"counts", counts}, {"rules", rows}}) << '\n';
  }

  void show_text(const std::map<std::string, std::size_t>& counts) const {
    for (const auto& one : items_) {
      auto& to = one.failure ? *line_.around.err : *line_.around.out;
      to << word(one, options_.dry_run) << "  " << printable(what(one));
      if (one.failure)
        to << ": " << to_string(*one.failure);
      else if (!one.id.empty() && one.id != what(one))
        to << "  " << printable(one.id);
      to << '\n';
    }
    if (items_.size() < 2) return;
    std::string sum;
    for (const auto& [name, count] : counts) sum += (sum.empty() ? "" : ", ") + std::to_string(count) + " " + name;
    *line_.around.err << items_.size() << " rules: " << sum << '\n';
  }

  const command_line& line_;
  const apply_options& options_;
  node_client& node_;
  std::vector<item> items_;
  std::optional<node_failure> lost_; ///< the node went away
};

} // namespace

int apply_rules(const command_line& line, const apply_options& options) {
  std::vector<json> wanted;
  for (const auto& file : options.files) {
    auto text = read_text(file, *line.around.in);
    if (!text) return complain(line, text.error());
    auto definitions = read_definitions(*text, file == "-" ? "standard input" : file);
    if (!definitions) return complain(line, definitions.error());
    std::move(definitions->begin(), definitions->end(), std::back_inserter(wanted));
  }
  if (wanted.empty()) return complain(line, "The files hold no rule.");
  int code = ok;
  const auto client = open_client(line, code);
  if (!client) return code;
  return application(line, options, *client, std::move(wanted)).run();
}

} // namespace tobit::cli
