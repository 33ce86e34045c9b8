#define CAF_SUITE rule_command

#include "fake_node.hpp"

#include <caf/test/unit_test.hpp>

#include <fstream>
#include <map>

using namespace tobit;

namespace {

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

/// Rules in memory, in pages of `page` rows.
struct rule_node {
  std::map<std::string, json> rules;
  std::size_t page = 2;
  std::size_t busy = 0; ///< so many writes are put off first

  result<outbound::http_response> operator()(const outbound::http_request& request) {
    const auto path = request.url.substr(request.url.find('/', 8));
    if (path == "/auth/me") return success(json::object());
    if (request.method == "GET" && path.rfind("/cep/rules?", 0) == 0) return list(path);
    if (request.method != "GET" && busy > 0) {
      --busy;
      return refusal(503, "OVERLOADED", "Too much is waiting.");
    }
    if (path.rfind("/cep/rules/validate", 0) == 0) return checked(path, json::parse(request.body));
    if (request.method == "POST")
      return write(json::parse(request.body).value("rule_id", "id-" + std::to_string(rules.size() + 1)), request.body);
    const auto id = path.substr(std::string("/cep/rules/").size());
    if (rules.count(id) == 0) return refusal(404, "NOT_FOUND", "No such rule.");
    if (request.method == "PUT") return write(id, request.body);
    if (request.method == "DELETE") return rules.erase(id), success(nullptr);
    return success({{"rule", rules[id]}});
  }

private:
  /// Knows that a rule is active where nothing is said.
  result<outbound::http_response> checked(const std::string& path, const json& body) {
    if (body.value("trigger_type", "") == "nonsense")
      return success({{"valid", false}, {"errors", {{{"message", "Take another."}, {"pointer", "/trigger_type"}}}}});
    const auto at = path.find("rule_id=");
    json answer{{"valid", true}, {"errors", json::array()}};
    if (at != std::string::npos) {
      auto now = rules[path.substr(at + 8)], then = now;
      then.update(body);
      answer["changed"] = then != now;
    }
    return success(answer);
  }

  result<outbound::http_response> list(const std::string& path) {
    const auto at = path.find("cursor=");
    auto row = at == std::string::npos ? rules.begin() : rules.lower_bound(path.substr(at + 7));
    json rows = json::array();
    for (; row != rules.end() && rows.size() < page; ++row) rows.push_back(row->second);
    return success({{"rules", rows}}, row == rules.end() ? json() : json{{"next_cursor", row->first}});
  }

  result<outbound::http_response> write(const std::string& id, const std::string& body) {
    auto rule = json::parse(body);
    if (rule.value("trigger_type", "") == "nonsense")
      return refusal(400, "VALIDATION_ERROR", "Take one of schedule, metric, event.", "/trigger_type");
    rule["rule_id"] = rule.value("rule_id", id);
    rule["version"] = rules.count(id) == 0 ? 1 : rules[id].value("version", 1) + 1;
    if (rules.count(id) != 0) {
      auto same = rules[id];
      same.update(json::parse(body));
      if (same == rules[id] && rules[id].contains("version")) return success({{"rule", same}});
    }
    return success({{"rule", rules[id] = rule}});
  }
};

json named(const std::string& name, const std::string& trigger = "schedule") {
  return {{"rule_name", name}, {"trigger_type", trigger}, {"is_active", true}};
}

struct shop {
  fake_shell shell;
  rule_node node;
  shop() {
    shell.node = [this](const auto& request) { return node(request); };
  }
  int apply(const json& what, std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"rule", "apply", "-f", "-"});
    return shell.run(more, to_text(what));
  }
};

} // namespace

CAF_TEST(rules are created then updated by name and left alone when they are so already) {
  shop s;
  CAF_CHECK_EQUAL(s.apply(json::array({named("a"), named("b"), named("c")})), 0);
  CAF_CHECK_EQUAL(s.node.rules.size(), 3u);
  CAF_CHECK(contains(s.shell.out, "created  a  id-1\n"));
  auto changed = named("b");
  changed["trigger_type"] = "event";
  CAF_CHECK_EQUAL(s.apply(json::array({named("a"), changed, named("d")})), 0);
  CAF_CHECK(contains(s.shell.out, "unchanged  a"));
  CAF_CHECK(contains(s.shell.out, "updated  b  id-2"));
  CAF_CHECK(contains(s.shell.out, "created  d  id-4"));
  CAF_CHECK(contains(s.shell.err, "3 rules: 1 created, 1 unchanged, 1 updated"));
  CAF_CHECK_EQUAL(s.node.rules["id-2"]["trigger_type"], "event");
}

CAF_TEST(a rule with an id is updated by it and created if it is not there) {
  shop s;
  auto rule = named("a");
  rule["rule_id"] = "id-9";
  CAF_CHECK_EQUAL(s.apply(rule), 0);
  CAF_CHECK(contains(s.shell.out, "created  a  id-9"));
  CAF_CHECK_EQUAL(s.apply(rule), 0);
  CAF_CHECK(contains(s.shell.out, "unchanged  a  id-9"));
  rule["is_active"] = false;
  CAF_CHECK_EQUAL(s.apply(rule), 0);
  CAF_CHECK(contains(s.shell.out, "updated  a  id-9"));
}

CAF_TEST(a refused rule is named with its field and does not stop the others) {
  shop s;
  CAF_CHECK_EQUAL(s.apply(json::array({named("a"), named("bad", "nonsense"), named("b")})), 1);
  CAF_CHECK_EQUAL(s.node.rules.size(), 2u);
  CAF_CHECK(contains(s.shell.err, "refused  bad: Take one of schedule, metric, event.\n  field  /trigger_type\n  error "
                                  " VALIDATION_ERROR (HTTP 400)\n"
                                  "  trace  4bf92f3577b34da6a3ce929d0e0e4736"));
  CAF_CHECK_EQUAL(s.apply(json::array({named("a"), named("bad", "nonsense")}), {"--json"}), 1);
  const auto result = json::parse(s.shell.out);
  CAF_CHECK_EQUAL(result.at("rules").at(1).at("result"), "refused");
  CAF_CHECK_EQUAL(result.at("rules").at(1).at("pointer"), "/trigger_type");
  CAF_CHECK_EQUAL(result.at("counts").at("unchanged"), 1);
}

CAF_TEST(names that are missing or not unique are refused without asking the node) {
  shop s;
  s.node.rules = {{"x1", {{"rule_id", "x1"}, {"rule_name", "twin"}}},
                  {"x2", {{"rule_id", "x2"}, {"rule_name", "twin"}}}};
  CAF_CHECK_EQUAL(s.apply(json::array({named("twin"), named("a"), named("a"), json::object()})), 1);
  CAF_CHECK(contains(s.shell.err, "refused  twin: Several rules have this name"));
  CAF_CHECK(contains(s.shell.err, "refused  a: This name stands in the files twice"));
  CAF_CHECK(contains(s.shell.err, "neither rule_name nor rule_id"));
  CAF_CHECK_EQUAL(s.node.rules.size(), 3u);
}

CAF_TEST(what the node puts off is repeated) {
  shop s;
  s.node.busy = 2;
  CAF_CHECK_EQUAL(s.apply(json::array({named("a"), named("b")}), {"--parallel", "1"}), 0);
  CAF_CHECK_EQUAL(s.node.rules.size(), 2u);
}

CAF_TEST(a node that goes away ends it with 3 and says what was not done) {
  shop s;
  std::size_t writes = 0;
  s.shell.node = [&](const auto& request) -> result<outbound::http_response> {
    if (request.method == "POST" && ++writes > 2) return fail(error_code::connection_error, "Connection reset.");
    return s.node(request);
  };
  json many = json::array();
  for (int i = 0; i < 50; ++i) many.push_back(named("r" + std::to_string(i)));
  CAF_CHECK_EQUAL(s.apply(many, {"--parallel", "2"}), 3);
  CAF_CHECK(contains(s.shell.err, "50 rules: 2 created, 48 refused"));
  CAF_CHECK(writes < 10);
}

CAF_TEST(a dry run changes nothing) {
  shop s;
  s.node.rules = {{"x1", {{"rule_id", "x1"}, {"rule_name", "a"}}}};
  CAF_CHECK_EQUAL(s.apply(json::array({named("a"), named("b")}), {"--dry-run"}), 0);
  CAF_CHECK(contains(s.shell.out, "would update  a"));
  CAF_CHECK(contains(s.shell.out, "would create  b"));
  CAF_CHECK_EQUAL(s.node.rules.size(), 1u);
}

CAF_TEST(a dry run tells what the node would refuse and what would change nothing) {
  shop s;
  CAF_CHECK_EQUAL(s.apply(json::array({named("a"), named("b")})), 0);
  s.node.rules["id-1"]["severity"] = "info"; // a default that the file leaves out
  CAF_CHECK_EQUAL(s.apply(json::array({named("a"), named("b", "nonsense")}), {"--dry-run"}), 1);
  CAF_CHECK(contains(s.shell.out, "unchanged  a"));
  CAF_CHECK(contains(s.shell.err, "refused  b: Take another."));
}

CAF_TEST(rules are exported so that they can be applied again) {
  shop s;
  CAF_CHECK_EQUAL(s.apply(json::array({named("yes"), named("b: #c")})), 0);
  CAF_CHECK_EQUAL(s.shell.run({"rule", "export"}), 0);
  const auto exported = s.shell.out;
  CAF_CHECK(!contains(exported, "version"));
  CAF_CHECK_EQUAL(s.shell.run({"rule", "apply", "-f", "-"}, exported), 0);
  CAF_CHECK(contains(s.shell.out, "unchanged  yes"));
  CAF_CHECK(contains(s.shell.out, "unchanged  b: #c"));
}

CAF_TEST(ten thousand rules go through) {
  shop s;
  s.node.page = 500;
  json many = json::array();
  for (int i = 0; i < 10'000; ++i) many.push_back(named("r" + std::to_string(i)));
  CAF_CHECK_EQUAL(s.apply(many, {"--json"}), 0);
  CAF_CHECK_EQUAL(s.node.rules.size(), 10'000u);
}

CAF_TEST(an unreadable file ends with 2 before anything is sent) {
  shop s;
  CAF_CHECK_EQUAL(s.shell.run({"rule", "apply", "-f", "/does/not/exist"}), 2);
  CAF_CHECK(contains(s.shell.err, "/does/not/exist cannot be read"));
  CAF_CHECK_EQUAL(s.shell.run({"rule", "apply", "-f", "-"}, "{\"rule_name\": }"), 2);
  CAF_CHECK(contains(s.shell.err, "standard input:1:15: is not valid JSON"));
  CAF_CHECK_EQUAL(s.shell.run({"rule", "apply", "-f", "-"}, "[]"), 2);
  CAF_CHECK(s.shell.requests.empty());
}

CAF_TEST(the list is a table or JSON that can be applied again) {
  shop s;
  CAF_CHECK_EQUAL(s.shell.run({"rule", "list"}), 0);
  CAF_CHECK(contains(s.shell.err, "No rules."));
  CAF_CHECK_EQUAL(s.apply(json::array({named("메모리 높음"), named("b"), named("c")})), 0);
  CAF_CHECK_EQUAL(s.shell.run({"rule", "list"}), 0);
  CAF_CHECK(contains(s.shell.out, "NAME         TRIGGER   ACTIVE"));
  CAF_CHECK(contains(s.shell.out, "메모리 높음  schedule  yes"));
  CAF_CHECK_EQUAL(s.shell.run({"rule", "list", "--json"}), 0);
  const auto listed = s.shell.out;
  CAF_CHECK_EQUAL(json::parse(listed).at("rules").size(), 3u);
  CAF_CHECK_EQUAL(s.shell.run({"rule", "apply", "-f", "-"}, listed), 0);
}

CAF_TEST(a rule is read and deleted by name or id) {
  shop s;
  CAF_CHECK_EQUAL(s.apply(json::array({named("a"), named("b")})), 0);
  CAF_CHECK_EQUAL(s.shell.run({"rule", "get", "b"}), 0);
  CAF_CHECK_EQUAL(parsed(s.shell.out).at("rule_id"), "id-2");
  CAF_CHECK_EQUAL(s.shell.run({"rule", "get", "zzz"}), 1);
  CAF_CHECK(contains(s.shell.err, "No rule has the id or the name 'zzz'"));
  CAF_CHECK_EQUAL(s.shell.run({"rule", "delete", "a", "zzz", "id-2"}), 1);
  CAF_CHECK(contains(s.shell.out, "deleted  a  id-1"));
  CAF_CHECK(s.node.rules.empty());
}
