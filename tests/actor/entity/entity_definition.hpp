// Versions, reload, rollback and deletion. Included once per database; TOBIT_TESTED_KIND names it.
#include "runtime/entity/entity_listing.hpp"
#include "tests/support/entity_fixture.hpp"

using namespace tobit;
using namespace tobit::testing;
using counter::add_to_counter;
using counter::get_count;
using std::chrono::seconds;

namespace {
struct fixture : entity_fixture<TOBIT_TESTED_KIND> {
  fixture() { start(); }
  std::int64_t version_of(const result<message>& reply) {
    auto* live = reply ? reply->template as<entity::definition_live>() : nullptr;
    return live ? live->version : -1;
  }
  error_code refusal(const entity::listing_filter& filter) {
    auto page = entity::list_entities(stored.get(), filter);
    return page ? static_cast<error_code>(0) : page.error().code;
  }
  std::vector<std::string> listed(entity::listing_filter filter) {
    auto page = entity::list_entities(stored.get(), filter, node.get());
    CAF_REQUIRE(page.has_value());
    std::vector<std::string> keys;
    for (const auto& one : page->items) keys.push_back(one.ref.key);
    return keys;
  }
};
using keys = std::vector<std::string>;
} // namespace

CAF_TEST_FIXTURE_SCOPE(entity_definition, fixture)

CAF_TEST(a new version goes live while the entity works and keeps its state) {
  define({{"step", 1}});
  auto old = send(ref(), message::of(add_to_counter{1}));
  auto live = send(ref(), message::of(entity::define_entity{{{"step", 10}}, "update", 1, ""}));
  auto fresh = send(ref(), message::of(add_to_counter{1}));
  settle();
  CAF_CHECK_EQUAL((*old)->value().as<counter::count_is>()->version, 1);
  CAF_CHECK_EQUAL(version_of(**live), 2);
  CAF_CHECK_EQUAL(count(**fresh), 11);
  CAF_CHECK_EQUAL((*fresh)->value().as<counter::count_is>()->version, 2);
  kill();
  start();
  CAF_CHECK_EQUAL(get(), 11);
}

CAF_TEST(a version that does not compile is refused and the old one keeps running) {
  define({{"step", 2}});
  auto refused = define({{"step", 5000}});
  CAF_CHECK_EQUAL(code(refused), error_code::validation_error);
  CAF_CHECK_EQUAL(refused.error().pointer, "/step");
  CAF_CHECK_EQUAL(code(define({{"broken", "error"}})), error_code::validation_error);
  CAF_CHECK_EQUAL(code(define({{"broken", "throw"}})), error_code::internal_server_error);
  CAF_CHECK_EQUAL(add(1), 2);
  CAF_CHECK_EQUAL(rows("SELECT COUNT(*) FROM definition"), 1);
  CAF_CHECK_EQUAL(rows("SELECT COUNT(*) FROM restart_history"), 0);
}

CAF_TEST(a version that cannot take over the state is refused) {
  define();
  add(1);
  CAF_CHECK_EQUAL(code(define({{"keeps_state", false}})), error_code::unprocessable);
  CAF_CHECK_EQUAL(add(1), 2);
}

CAF_TEST(a version whose commit fails never was live) {
  define({{"step", 1}});
  db->fail_writes(1, error{error_code::storage_full});
  auto live = send(ref(), message::of(entity::define_entity{{{"step", 10}}, "update", {}, ""}));
  auto after = send(ref(), message::of(add_to_counter{1}));
  settle();
  CAF_CHECK_EQUAL(code(live), error_code::storage_full);
  CAF_CHECK_EQUAL(code(after), error_code::unavailable);
  CAF_CHECK_EQUAL(add(1), 1);
  CAF_CHECK(listener.calls.size() == 1);
}

CAF_TEST(defining with another version than the expected one is a conflict) {
  CAF_CHECK_EQUAL(code(define({}, "a", 3)), error_code::conflict);
  CAF_CHECK_EQUAL(version_of(define(json::object(), "a", 0)), 1);
  CAF_CHECK_EQUAL(code(define(json::object(), "a", 0)), error_code::conflict);
  CAF_CHECK_EQUAL(version_of(define(json::object(), "a", 1)), 2);
  CAF_CHECK_EQUAL(code(define(json::object(), "a", 1)), error_code::conflict);
}

CAF_TEST(of two who create the same entity at once one wins) {
  auto first = send(ref(), message::of(entity::define_entity{json::object(), "create", 0, ""}));
  auto second = send(ref(), message::of(entity::define_entity{json::object(), "create", 0, ""}));
  settle();
  CAF_CHECK_EQUAL(version_of(**first), 1);
  CAF_CHECK_EQUAL(code(second), error_code::conflict);
}

CAF_TEST(a rollback puts an older content live as a new version) {
  define({{"step", 1}});
  define({{"step", 10}});
  CAF_CHECK_EQUAL(version_of(ask(ref(), message::of(entity::rollback_entity{0, "back"}))), 3);
  CAF_CHECK_EQUAL(add(1), 1);
  CAF_CHECK_EQUAL(version_of(ask(ref(), message::of(entity::rollback_entity{2, ""}))), 4);
  CAF_CHECK_EQUAL(add(1), 11);
  CAF_CHECK_EQUAL(code(ask(ref(), message::of(entity::rollback_entity{9, ""}))), error_code::not_found);
  CAF_CHECK_EQUAL(code(ask(ref(), message::of(entity::rollback_entity{4, ""}))), error_code::validation_error);
  CAF_CHECK_EQUAL(code(ask(ref("nobody"), message::of(entity::rollback_entity{1, ""}))), error_code::not_found);
  CAF_CHECK_EQUAL(text("SELECT summary FROM definition WHERE version = 3"), "back");
}

CAF_TEST(a deleted entity is gone for askers and can be created again) {
  define({{"step", 2}});
  add(1);
  CAF_CHECK_EQUAL(code(ask(ref(), message::of(entity::delete_entity{7}))), error_code::conflict);
  CAF_CHECK(ask(ref(), message::of(entity::delete_entity{1})).has_value());
  CAF_CHECK_EQUAL(code(ask(ref(), message::of(get_count{}))), error_code::not_found);
  CAF_CHECK_EQUAL(code(ask(ref(), message::of(entity::delete_entity{}))), error_code::not_found);
  CAF_CHECK(node->residents().empty());
  CAF_CHECK_EQUAL(inspect().value("status", ""), "deleted");
  CAF_CHECK_EQUAL(version_of(define(json::object(), "a", 0)), 2);
  CAF_CHECK_EQUAL(get(), 0);
}

CAF_TEST(listeners hear of interests before the asker is answered) {
  bool heard_first = false;
  auto slot = std::make_shared<bool>(false);
  node->ask(ref(), context(),
            message::of(entity::define_entity{{{"interests", {{"schedule", {{"every", 5}}}}}}, "create", {}, ""}),
            [&](result<message>) { heard_first = listener.calls.size() == 1; });
  settle();
  CAF_CHECK(heard_first);
  CAF_CHECK_EQUAL(listener.calls.at(0).version, 1);
  CAF_CHECK(listener.calls.at(0).spec == json({{"every", 5}}));
  define({{"enabled", false}, {"interests", {{"schedule", {{"every", 5}}}}}});
  CAF_CHECK(!listener.calls.at(1).spec.has_value());
  CAF_CHECK_EQUAL(rows("SELECT COUNT(*) FROM interest"), 0);
  define({{"interests", {{"schedule", {{"every", 9}}}}}});
  CAF_CHECK_EQUAL(rows("SELECT COUNT(*) FROM interest WHERE version = 3"), 1);
  CAF_CHECK(ask(ref(), message::of(entity::delete_entity{})).has_value());
  CAF_CHECK(!listener.calls.at(3).spec.has_value());
  CAF_CHECK_EQUAL(rows("SELECT COUNT(*) FROM interest"), 0);
}

CAF_TEST(every change leaves an audit row with old and new values) {
  define({{"step", 1}});
  define({{"step", 2}});
  CAF_CHECK_EQUAL(rows("SELECT COUNT(*) FROM audit_log WHERE actor = 'ann' AND resource_type = 'counter'"), 2);
  CAF_CHECK_EQUAL(text("SELECT old_values FROM audit_log WHERE action = 'update'"), R"({"step":1})");
  CAF_CHECK_EQUAL(text("SELECT new_values FROM audit_log WHERE action = 'update'"), R"({"step":2})");
  CAF_CHECK_EQUAL(text("SELECT changes FROM audit_log WHERE action = 'update'"), R"({"fields":["step"]})");
}

CAF_TEST(definitions and summaries have a limit) {
  CAF_CHECK_EQUAL(code(define({{"name", std::string(300 * 1024, 'x')}})), error_code::payload_too_large);
  auto wordy = message::of(entity::define_entity{json::object(), "update", {}, std::string(501, 'x')});
  CAF_CHECK_EQUAL(code(ask(ref(), wordy)), error_code::validation_error);
  auto odd = message::of(entity::define_entity{json::object(), "explode", {}, ""});
  CAF_CHECK_EQUAL(code(ask(ref(), odd)), error_code::validation_error);
}

CAF_TEST(a reload by hand keeps the state and the version) {
  define({{"step", 2}});
  add(1);
  CAF_CHECK(control("reload").has_value());
  CAF_CHECK_EQUAL(add(1), 4);
  CAF_CHECK_EQUAL(inspect().value("version", 0), 1);
}

CAF_TEST(entities are listed by filter and page) {
  for (const auto* key : {"a", "b", "c", "d", "e"}) {
    define({{"name", std::string("Name_") + key}, {"label", key[0] < 'c' ? "low" : "high"}}, key);
    pass(seconds{1});
  }
  define({{"name", "off"}, {"enabled", false}}, "f");
  CAF_CHECK_EQUAL(listed({}), (keys{"f", "e", "d", "c", "b", "a"}));
  CAF_CHECK_EQUAL(listed({.label = "low", .sort = "name"}), (keys{"a", "b"}));
  CAF_CHECK_EQUAL(listed({.q = "NAME_C"}), (keys{"c"}));
  CAF_CHECK_EQUAL(listed({.q = "name%"}), (keys{}));
  CAF_CHECK_EQUAL(listed({.kind = "rule"}), (keys{}));
  CAF_CHECK_EQUAL(listed({.status = "disabled"}), (keys{"f"}));
  control("stop", "b");
  ask(ref("d"), message::of(entity::delete_entity{}));
  control("quarantine", "e");
  CAF_CHECK_EQUAL(listed({.status = "deleted"}), (keys{"d"}));
  CAF_CHECK_EQUAL(listed({.status = "quarantined"}), (keys{"e"}));
  CAF_CHECK_EQUAL(listed({.status = "sleeping"}), (keys{"b"}));
  CAF_CHECK_EQUAL(listed({.status = "active", .sort = "name"}), (keys{"a", "c"}));
  keys all;
  entity::listing_filter page{.sort = "created", .limit = 2};
  do {
    auto found = entity::list_entities(stored.get(), page, node.get());
    CAF_REQUIRE(found.has_value());
    for (const auto& one : found->items) all.push_back(one.ref.key);
    page.cursor = found->next;
  } while (!page.cursor.empty());
  CAF_CHECK_EQUAL(all, (keys{"f", "e", "c", "b", "a"}));
  page.cursor = "zz";
  CAF_CHECK_EQUAL(refusal(page), error_code::validation_error);
  CAF_CHECK_EQUAL(refusal({.sort = "size"}), error_code::validation_error);
  CAF_CHECK_EQUAL(refusal({.status = "odd"}), error_code::validation_error);
}

CAF_TEST_FIXTURE_SCOPE_END()
