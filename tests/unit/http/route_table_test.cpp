#define CAF_SUITE route_table

#include "http/route/route_table.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;
using namespace tobit::http;

namespace {

route made(std::string method, std::string path, std::vector<parameter> parameters = {}) {
  return {.method = std::move(method), .path = path, .operation = path, .parameters = std::move(parameters)};
}

route_table sample() {
  route_table table;
  table.add(made("GET", "/cep/rules"));
  table.add(made("GET", "/cep/rules/{rule_id}", {in_path("rule_id", text())}));
  table.add(made("DELETE", "/cep/rules/{rule_id}", {in_path("rule_id", text())}));
  table.add(made("GET", "/cep/rules/performance"));
  table.add(made("POST", "/cep/rules/{rule_id}/trigger", {in_path("rule_id", text())}));
  table.add(made("GET", "/actors/{kind}/{key}", {in_path("kind", text()), in_path("key", text())}));
  return table;
}

} // namespace

CAF_TEST(a static path wins over a parameter) {
  const auto table = sample();
  CAF_CHECK_EQUAL(table.find("GET", "/cep/rules/performance").found->path, "/cep/rules/performance");
  CAF_CHECK_EQUAL(table.find("GET", "/cep/rules/perform").found->path, "/cep/rules/{rule_id}");
  // Below a static segment that leads nowhere the parameter gets its chance.
  const auto deeper = table.find("POST", "/cep/rules/performance/trigger");
  CAF_REQUIRE(deeper.found != nullptr);
  CAF_CHECK_EQUAL(deeper.path_values.at(0).second, "performance");
}

CAF_TEST(parameters are found by name) {
  const auto table = sample();
  const auto match = table.find("GET", "/actors/rule/a%2Fb");
  CAF_REQUIRE(match.found != nullptr);
  CAF_CHECK_EQUAL(match.path_values.at(0).first, "kind");
  CAF_CHECK_EQUAL(match.path_values.at(1).second, "a%2Fb");
}

CAF_TEST(unknown paths and unknown methods are told apart) {
  const auto table = sample();
  for (auto path : {"/", "", "/cep", "/cep/rules/a/b", "/cep//rules", "/actors/rule/", "//", "/cep/rules/a/trigger/b"})
    CAF_CHECK(!table.find("GET", path).path_known);
  const auto match = table.find("PATCH", "/cep/rules/r1");
  CAF_CHECK(match.path_known && !match.found);
  CAF_CHECK_EQUAL(table.allowed_methods("/cep/rules/r1"), "DELETE, GET, HEAD, OPTIONS");
  CAF_CHECK(table.find("HEAD", "/cep/rules").found != nullptr);
  CAF_CHECK(table.find("GET", "/cep/rules/").found != nullptr);
}
