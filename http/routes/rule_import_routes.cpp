#include "http/limit/step_window.hpp"
#include "http/routes/route_deps.hpp"
#include "http/routes/rule_answer.hpp"
#include "schemas/rule/rule_protocol.hpp"

#include <algorithm>
#include <atomic>
#include <utility>

namespace tobit::http {

namespace {

constexpr std::size_t rules_max = 10'000;
constexpr std::size_t in_flight_max =
    256; ///< definitions under way at the same time: fills group commits, leaves room for others
constexpr std::chrono::seconds import_time{60};

/// Reads an array, or one object a line.
result<std::vector<json>> read_rules(std::string_view body, bool lines) {
  std::vector<json> rules;
  if (!lines) {
    auto all = parse_json(body);
    if (!all) return fail(all.error());
    if (!all->is_array())
      return fail(error_code::validation_error,
                  "Send a JSON array of rules, or one rule a line as application/x-ndjson.");
    for (auto& one : *all) rules.push_back(std::move(one));
  } else {
    for (std::size_t number = 1; !body.empty(); ++number) {
      const auto line = body.substr(0, body.find('\n'));
      body.remove_prefix(std::min(body.size(), line.size() + 1));
      if (line.find_first_not_of(" \r\t") == std::string_view::npos) continue;
      auto one = parse_json(line);
      if (!one) return fail(one.error().code, "Line " + std::to_string(number) + ": " + one.error().message);
      if (rules.size() > rules_max) break;
      rules.push_back(std::move(*one));
    }
  }
  if (rules.size() > rules_max)
    return fail(error_code::payload_too_large,
                "One request takes at most " + std::to_string(rules_max) + " rules; send the rest in another one.");
  return rules;
}

/// One import under way. Each rule has its own place for its result, so that they may be settled side by side.
struct import_run {
  entity::entity_gateway& entities;
  const exchange_ptr ex;
  std::vector<json> rules;
  const bool replace;
  std::vector<json> results;
  std::atomic<std::size_t> accepted{0};

  import_run(entity::entity_gateway& to, exchange_ptr asked, std::vector<json> all, bool replaces)
      : entities(to), ex(std::move(asked)), rules(std::move(all)), replace(replaces), results(rules.size()) {
    // nop
  }

  void settle(std::size_t index, const std::string& key, const result<message>& answer) {
    json line{{"index", index}, {"rule_id", key}};
    if (const auto* live = answer ? answer->as<entity::definition_live>() : nullptr) {
      line["status"] = live->unchanged ? "unchanged" : live->version == 1 ? "created" : "updated";
      line["version"] = live->version;
      ++accepted;
    } else {
      const auto why = answer ? error{error_code::internal_server_error} : answer.error();
      line["status"] = "refused";
      line["error"] = describe(why.code).name;
      line["message"] = why.text();
      if (!why.pointer.empty()) line["pointer"] = why.pointer;
    }
    results[index] = std::move(line);
  }

  void finish() {
    const std::size_t taken = accepted, refused = rules.size() - taken;
    ex->answer(refused == 0 ? 200 : 207,
               {{"total", rules.size()}, {"accepted", taken}, {"refused", refused}, {"results", results}});
  }
};

void define(const std::shared_ptr<import_run>& run, std::size_t index, std::function<void()> ended) {
  auto& rule = run->rules[index];
  entity_ref ref{std::string(rule::kind_name), run->ex->tenant(), new_uuid()};
  const bool named = rule.is_object() && rule.contains("rule_id") && !rule["rule_id"].is_null();
  if (named) {
    json id = rule["rule_id"];
    if (auto valid = check(id, uuid_text(), "/rule_id"); !valid) {
      run->settle(index, ref.key, fail(valid.error()));
      return ended();
    }
    ref.key = id.get<std::string>();
  }
  entity::define_entity wish;
  wish.body = std::move(rule);
  wish.change = "create";
  if (!named || !run->replace) wish.expected_version = 0;
  wish.summary = "import";
  wish.unless_same = true;
  run->entities.ask(ref, run->ex->context().child(), message::of(std::move(wish)),
                    [run, index, key = ref.key, ended = std::move(ended)](const result<message>& answer) {
                      run->settle(index, key, answer);
                      ended();
                    });
}

void import_rules(const route_deps& deps, const exchange_ptr& ex) {
  const auto type = ex->incoming().header("content-type");
  const bool lines = type.find("ndjson") != std::string_view::npos || type.find("jsonl") != std::string_view::npos;
  auto rules = read_rules(ex->take_raw_body(), lines);
  if (!rules) return ex->refuse(rules.error());
  const bool replace = ex->text("on_conflict") == "replace";
  auto run = std::make_shared<import_run>(*deps.entities, ex, std::move(*rules), replace);
  step_window::run(
      run->rules.size(), in_flight_max,
      [run](std::size_t index, std::function<void()> ended) { define(run, index, std::move(ended)); },
      [run] { run->finish(); });
}

} // namespace

void add_rule_import_routes(route_table& table, const route_deps& deps) {
  route r{.method = "POST", .path = "/cep/rules/import", .operation = "import_rules", .tag = "rules"};
  r.summary = "Adds up to 10,000 rules and tells of each what became of it.";
  r.notes = "A JSON array, or one rule a line. Each rule is taken or refused on its own; 207 says that some were "
            "refused. The deadline is 60 s.";
  r.needs = access::permitted("cep:create", "rule");
  r.parameters = {
      in_query("on_conflict",
               choice({"refuse", "replace"}).or_else("refuse").described("What to do with a rule_id that exists."))};
  r.body = body_rule{.type = list_of(rule_definition_shape(), rules_max),
                     .raw = true,
                     .content_types = {"application/json", "application/x-ndjson"},
                     .bytes_max = deps.import_body_max};
  r.answers.type = object(
      {required("total", whole(0, 1e9)), required("accepted", whole(0, 1e9)), required("refused", whole(0, 1e9)),
       required("results",
                list_of(open_object({required("index", whole(0, 1e9)),
                                     required("status", choice({"created", "updated", "unchanged", "refused"}))})))});
  r.answers.also = {207};
  r.deadline = import_time;
  r.handler = [deps](const exchange_ptr& ex) { import_rules(deps, ex); };
  table.add(std::move(r));
}

} // namespace tobit::http
