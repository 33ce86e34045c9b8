#define CAF_SUITE permission

#include "http/identity/permission.hpp"

#include <caf/test/unit_test.hpp>

#include <set>

using namespace tobit;
using namespace tobit::http;

namespace {

std::set<std::string_view> allowed(role rank) {
  const auto list = permissions_of(rank);
  return {list.begin(), list.end()};
}

} // namespace

CAF_TEST(an administrator may do everything and nobody nothing) {
  CAF_CHECK_EQUAL(allowed(role::admin).size(), all_permissions().size());
  CAF_CHECK(allowed(role::none).empty());
}

CAF_TEST(a manager may not touch users nor delete what cannot be brought back) {
  const auto may = allowed(role::manager);
  for (auto no : {"ci:delete", "history:delete", "cep:delete", "document:delete", "ui:delete", "asset:delete",
                  "user:read", "user:create", "user:update", "user:delete"})
    CAF_CHECK(!may.contains(no));
  CAF_CHECK_EQUAL(may.size(), all_permissions().size() - 10);
  CAF_CHECK(may.contains("api:delete") && may.contains("screen:delete") && may.contains("audit:read"));
}

CAF_TEST(a developer builds and runs but neither deletes nor audits) {
  const std::set<std::string_view> expected{
      "api:read",   "api:create",   "api:update",   "api:execute",   "ci:read",       "ci:create",
      "ci:update",  "ci:execute",   "metric:read",  "graph:read",    "graph:update",  "history:read",
      "cep:read",   "cep:create",   "cep:update",   "cep:execute",   "document:read", "document:upload",
      "ui:read",    "ui:create",    "ui:update",    "screen:create", "screen:edit",   "screen:publish",
      "asset:read", "asset:create", "asset:update", "settings:read"};
  CAF_CHECK(allowed(role::developer) == expected);
}

CAF_TEST(a viewer only looks) {
  const std::set<std::string_view> expected{"api:read", "ci:read",       "metric:read", "graph:read", "history:read",
                                            "cep:read", "document:read", "ui:read",     "asset:read"};
  CAF_CHECK(allowed(role::viewer) == expected);
}

CAF_TEST(an override for the resource wins over one for the type and that over the role) {
  const auto now = from_micros(1'000'000);
  std::vector<permission_override> overrides{{"cep:delete", "rule", "", true, 0},
                                             {"cep:delete", "rule", "r1", false, 0}};
  const auto ask = [&](std::string_view id) {
    return resolve(role::viewer, overrides, {"cep:delete", "rule", id}, now);
  };
  CAF_CHECK(!ask("r1").granted);
  CAF_CHECK(ask("r2").granted);
  CAF_CHECK(!resolve(role::viewer, overrides, {"cep:delete", "event", "r2"}, now).granted);
  CAF_CHECK(!resolve(role::viewer, overrides, {"cep:update", "rule", "r2"}, now).granted);
}

CAF_TEST(an override ends at its moment) {
  std::vector<permission_override> overrides{{"cep:delete", "rule", "", true, 2'000'000}};
  CAF_CHECK(resolve(role::viewer, overrides, {"cep:delete", "rule", ""}, from_micros(1'999'999)).granted);
  CAF_CHECK(!resolve(role::viewer, overrides, {"cep:delete", "rule", ""}, from_micros(2'000'000)).granted);
}

CAF_TEST(a write scope covers changes that have no scope of their own) {
  CAF_CHECK(scope_covers("cep:write", "cep:create") && scope_covers("cep:write", "cep:delete"));
  CAF_CHECK(scope_covers("cep:write", "cep:execute") && !scope_covers("cep:write", "cep:read"));
  CAF_CHECK(scope_covers("api:write", "api:update") && !scope_covers("api:write", "api:delete"));
  CAF_CHECK(scope_covers("*", "user:delete") && !scope_covers("cep:write", "api:update"));
  CAF_CHECK(is_scope("audit:read") && is_scope("cep:write") && !is_scope("cep:everything"));
}
