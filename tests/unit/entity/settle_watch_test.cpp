#define CAF_SUITE settle_watch

#include "runtime/entity/settle_watch.hpp"

#include <caf/test/unit_test.hpp>

#include <optional>

using namespace tobit;
using namespace tobit::entity;

namespace {

using heard = std::optional<result<std::vector<effect_outcome>>>;

struct fixture {
  settle_watch watch;
  heard first, second;
  settle_watch::listener into(heard& slot) {
    return [&slot](auto ended) { slot = std::move(ended); };
  }
  static storage::rows effects(std::vector<std::pair<std::string, std::string>> of) {
    storage::rows rows;
    for (auto& [id, status] : of) rows.values.push_back({id, status, std::string("why")});
    return rows;
  }
  static steady_time at(int seconds) { return steady_time{std::chrono::seconds{seconds}}; }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(settle_watch_tests, fixture)

CAF_TEST(nobody hears anything while an effect is pending) {
  CAF_CHECK(watch.add("c", at(1), into(first)));
  watch.compare("c", effects({{"a-0", "done"}, {"a-1", "pending"}}));
  CAF_CHECK(!first);
  watch.compare("other", effects({}));
  CAF_CHECK(!first);
  watch.compare("c", effects({{"a-0", "done"}, {"a-1", "failed"}}));
  CAF_REQUIRE(first && first->has_value());
  CAF_CHECK((**first)[0].status == effect_outcome::status::done);
  CAF_CHECK((**first)[1].status == effect_outcome::status::failed);
  CAF_CHECK_EQUAL((**first)[1].error, "why");
  CAF_CHECK(watch.empty());
}

CAF_TEST(what was noted is told in full) {
  watch.add("c", at(1), into(first));
  watch.note("c", "a-0", {effect_outcome::status::done, "", {}, {}, 42});
  watch.note("unwatched", "b-0", {});
  watch.compare("c", effects({{"a-0", "done"}}));
  CAF_REQUIRE(first && first->has_value());
  CAF_CHECK((**first)[0].answer == json(42));
  CAF_CHECK(watch.empty());
}

CAF_TEST(several may wait for the same and each has its own deadline) {
  watch.add("c", at(1), into(first));
  watch.add("c", at(5), into(second));
  watch.expire(at(1));
  CAF_REQUIRE(first && !first->has_value());
  CAF_CHECK_EQUAL(first->error().code, error_code::deadline_exceeded);
  CAF_CHECK(!second);
  watch.fail_all("c", error{error_code::database_error});
  CAF_REQUIRE(second && !second->has_value());
  CAF_CHECK_EQUAL(second->error().code, error_code::database_error);
  CAF_CHECK(watch.empty());
}

CAF_TEST(too many watchers of one correlation are refused) {
  for (int i = 0; i < 100; ++i) CAF_CHECK(watch.add("c", at(1), into(first)));
  CAF_CHECK(!watch.add("c", at(1), into(first)));
}

CAF_TEST_FIXTURE_SCOPE_END()
