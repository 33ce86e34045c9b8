#define CAF_SUITE interest_index

#include "actors/event/interest_index.hpp"

#include <caf/test/unit_test.hpp>

#include <algorithm>

using namespace tobit;
using namespace tobit::event;

namespace {

struct fixture {
  interest_index index;
  tenant_id tenant{"default"};

  entity_ref ref(const std::string& key, const std::string& of = "default") { return {"rule", tenant_id{of}, key}; }
  interest_index::slot add(const std::string& key, std::vector<std::string> types,
                           std::vector<std::string> sources = {}, std::int64_t version = 1) {
    return index.set(ref(key), version, entity::event_interest{std::move(types), std::move(sources)})->place;
  }
  std::vector<interest_index::slot> wanting(std::string_view type, std::string_view source = "/s",
                                            const json& data = nullptr) {
    std::vector<interest_index::slot> found;
    index.wanting(tenant, type, source)->select(data, found);
    std::sort(found.begin(), found.end());
    return found;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(interest_index_tests, fixture)

CAF_TEST(types and sources both have to fit and empty lists let everything through) {
  const auto all = add("all", {});
  const auto orders = add("orders", {"order.*"});
  const auto shop = add("shop", {"order.*", "cart.?"}, {"/shop/*"});
  CAF_CHECK((wanting("order.created") == std::vector{all, orders}));
  CAF_CHECK((wanting("order.created", "/shop/1") == std::vector{all, orders, shop}));
  CAF_CHECK((wanting("cart.x", "/shop/1") == std::vector{all, shop}));
  CAF_CHECK((wanting("other") == std::vector{all}));
}

CAF_TEST(another tenant sees nothing) {
  add("all", {});
  CAF_CHECK(index.wanting(tenant_id{"other"}, "t", "/s")->empty());
}

CAF_TEST(a change takes effect at once also for remembered answers) {
  const auto rule = add("r", {"a"});
  CAF_CHECK((wanting("a") == std::vector{rule}));
  CAF_CHECK(!index.set(ref("r"), 2, entity::event_interest{{"b"}, {}})->is_new);
  CAF_CHECK(wanting("a").empty());
  CAF_CHECK((wanting("b") == std::vector{rule}));
  CAF_CHECK(!index.set(ref("r"), 3, std::nullopt)->wanted);
  CAF_CHECK(wanting("b").empty());
  CAF_CHECK_EQUAL(index.size(), 0u);
}

CAF_TEST(an older version changes nothing) {
  add("r", {"a"}, {}, 5);
  CAF_CHECK(!index.set(ref("r"), 5, std::nullopt).has_value());
  CAF_CHECK(!index.set(ref("r"), 4, std::nullopt).has_value());
  CAF_CHECK_EQUAL(wanting("a").size(), 1u);
  CAF_CHECK(!index.set(ref("unknown"), 7, std::nullopt).has_value());
  CAF_CHECK(!index.set(ref("unknown"), 6, entity::event_interest{}).has_value());
}

CAF_TEST(a place that became free is used again) {
  const auto first = add("a", {});
  index.set(ref("a"), 2, std::nullopt);
  CAF_CHECK_EQUAL(add("b", {}), first);
  CAF_CHECK((wanting("t") == std::vector{first}));
}

CAF_TEST(a field with a value spares those that wait for another) {
  const auto add_if = [&](const std::string& key, std::vector<json> values) {
    return index.set(ref(key), 1, entity::event_interest{{"t"}, {}, "host.name", std::move(values)})->place;
  };
  const auto all = add("all", {"t"});
  const auto one = add_if("one", {"db-1"}), two = add_if("two", {"db-1", "db-2", "db-2"}), seven = add_if("seven", {7});
  const auto host = [](json value) { return json{{"host", {{"name", std::move(value)}}}}; };
  CAF_CHECK((wanting("t", "/s", host("db-1")) == std::vector{all, one, two, seven})); // a text may be a number
  CAF_CHECK((wanting("t", "/s", host("db-2")) == std::vector{all, two, seven}));
  CAF_CHECK((wanting("t", "/s", host(7)) == std::vector{all, seven}));
  CAF_CHECK((wanting("t", "/s", host(7.0)) == std::vector{all, seven}));
  CAF_CHECK((wanting("t", "/s", host(7.5)) == std::vector{all}));
  CAF_CHECK((wanting("t", "/s", host(nullptr)) == std::vector{all}));
  CAF_CHECK((wanting("t", "/s", json::object()) == std::vector{all, one, two, seven})); // perhaps an attribute
  CAF_CHECK(wanting("u", "/s", host("db-1")).empty());
}

CAF_TEST_FIXTURE_SCOPE_END()
