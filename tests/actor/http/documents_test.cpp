#define CAF_SUITE documents

#include "http/route/reference_page.hpp"
#include "http/route/route_table.hpp"
#include "tests/actor/http/edge_fixture.hpp"
#include "tests/actor/http/fake_entities.hpp"

#include <caf/test/unit_test.hpp>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

using namespace tobit;
using testing::edge_fixture;

namespace {

struct silent_tester final : notice::channel_tester {
  void test(const entity_ref&, const json&, const call_context&,
            std::function<void(result<notice::channel_test_outcome>)> done) override {
    done(notice::channel_test_outcome{true, "sent"});
  }
};

struct full_fixture : edge_fixture {
  testing::fake_entities entities{store.get()};
  silent_tester tester;
  testing::fake_intake intake;
  testing::rule_kinds rules;
  job::job_desk jobs{store.get(), time, bus.get(), node_id{"n"}};

  full_fixture() {
    deps.entities = &entities;
    deps.effects = &entities;
    deps.kinds = &rules.kinds;
    deps.intake = &intake;
    deps.channels = &tester;
    deps.jobs = &jobs;
    start();
  }
  ~full_fixture() { edge->stop(), edge->finish(), store.close(); }
};

std::string lower(std::string text) {
  for (auto& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

/// Every `$ref` of the document's own must lead somewhere; embedded schemas with an `$id` keep their own.
void check_references(const json& at, const json& document) {
  if (at.is_object()) {
    if (at.contains("$id")) return;
    if (const auto ref = at.find("$ref"); ref != at.end())
      CAF_CHECK(document.contains(json::json_pointer(ref->get<std::string>().substr(1))));
  }
  if (at.is_structured())
    for (const auto& inner : at) check_references(inner, document);
}

/// The golden file; TOBIT_TEST_UPDATE=1 writes it anew.
void check_golden(const std::string& name, const std::string& text) {
  const auto path = std::string(TOBIT_SOURCE_DIR "/docs/reference/") + name;
  if (std::getenv("TOBIT_TEST_UPDATE")) std::ofstream(path) << text;
  std::ifstream file(path);
  std::stringstream stored;
  stored << file.rdbuf();
  const bool same = stored.str() == text;
  CAF_CHECK(same);
  if (!same) CAF_MESSAGE(path << " is out of date; run this test with TOBIT_TEST_UPDATE=1 and look at the difference");
}

} // namespace

CAF_TEST(the openapi document holds every route and nothing else) {
  full_fixture f;
  const auto document = json::parse(f.get("/openapi.json").answer.body);
  CAF_CHECK_EQUAL(document.at("openapi"), "3.1.0");
  CAF_CHECK(document.at("info").contains("title") && document.at("info").contains("version"));
  std::set<std::string> operations;
  std::size_t count = 0;
  for (const auto& [path, methods] : document.at("paths").items())
    for (const auto& [method, operation] : methods.items()) {
      ++count;
      CAF_CHECK(operations.insert(operation.at("operationId").get<std::string>()).second);
      CAF_CHECK(!operation.at("summary").get<std::string>().empty());
      CAF_CHECK(!operation.at("responses").empty());
      for (const auto& [status, response] : operation.at("responses").items())
        CAF_CHECK(status.size() == 3 && response.contains("description"));
      std::set<std::string> in_path;
      for (const auto& p : operation.value("parameters", json::array())) {
        CAF_CHECK(p.contains("name") && p.contains("schema"));
        if (p.at("in") == "path") CAF_CHECK(p.at("required") == true && in_path.insert(p.at("name")).second);
      }
      CAF_CHECK_EQUAL(in_path.size(), static_cast<std::size_t>(std::count(path.begin(), path.end(), '{')));
    }
  CAF_CHECK_EQUAL(count, f.edge->routes().all().size());
  for (const auto& r : f.edge->routes().all()) CAF_CHECK(document.at("paths").at(r->path).contains(lower(r->method)));
  check_references(document, document);
}

CAF_TEST(an edge without entities does not promise rules) {
  edge_fixture f;
  f.start();
  const auto document = json::parse(f.get("/openapi.json").answer.body);
  CAF_CHECK(!document.at("paths").contains("/cep/rules"));
  CAF_CHECK_EQUAL(f.get("/cep/rules").status(), 404);
}

CAF_TEST(the page for people needs no scripts and lists every route) {
  full_fixture f;
  const auto page = f.get("/docs");
  CAF_CHECK(page.answer.content_type.starts_with("text/html"));
  CAF_CHECK(page.answer.body.find("<script") == std::string::npos);
  CAF_CHECK(page.answer.body.find("style=") == std::string::npos);
  for (const auto& r : f.edge->routes().all())
    CAF_CHECK(page.answer.body.find("id=\"" + r->operation + "\"") != std::string::npos);
  CAF_CHECK_EQUAL(f.get("/docs", {{"if-none-match", page.header("ETag")}}).status(), 304);
}

CAF_TEST(the reference of endpoints and errors is up to date) {
  full_fixture f;
  check_golden("endpoints.md", http::write_endpoint_reference(f.edge->routes()));
  check_golden("errors.md", http::write_error_reference());
}
