#define CAF_SUITE group_commit

#include "runtime/storage/group_commit.hpp"

#include <caf/test/unit_test.hpp>

#include <algorithm>
#include <deque>

using namespace tobit;
using namespace tobit::storage;

namespace {

session_failure failure(blame whose, error_code code = error_code::database_error) { return {error{code}, whose}; }

/// Does what the script says and writes down what it was asked.
class scripted_session final : public session {
public:
  std::vector<std::string> asked;
  std::deque<session_failure> commit_failures; ///< taken one by one, then commits succeed
  std::deque<session_failure> run_failures;    ///< the same for statements with the text "fragile"

  session_result<void> begin() override { return script("begin"); }
  session_result<void> commit() override {
    asked.emplace_back("commit");
    if (commit_failures.empty()) return {};
    auto first = commit_failures.front();
    commit_failures.pop_front();
    return tl::unexpected(first);
  }
  void rollback() noexcept override { asked.emplace_back("rollback"); }
  session_result<step_outcome> run(const statement& what) override {
    asked.emplace_back(what.sql);
    if (what.sql == "bad") return tl::unexpected(failure(blame::statement, error_code::conflict));
    if (what.sql == "fragile" && !run_failures.empty()) {
      auto first = run_failures.front();
      run_failures.pop_front();
      return tl::unexpected(first);
    }
    return step_outcome{1, {}};
  }
  session_result<void> script(std::string_view sql) override {
    asked.emplace_back(sql);
    return {};
  }
  auto times(std::string_view what) const { return std::count(asked.begin(), asked.end(), what); }
};

struct fixture {
  scripted_session connection;
  std::shared_mutex gate;
  std::deque<unit_of_work> units;
  std::vector<const unit_of_work*> group;

  void add(std::string_view sql) {
    statement s;
    s.sql = sql;
    units.push_back({{s}, 0});
    group.push_back(&units.back());
  }
  group_outcome commit() { return commit_group(connection, group, gate); }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(group_commit_tests, fixture)

CAF_TEST(good units share one transaction without savepoints) {
  for (int i = 0; i < 3; ++i) add("good");
  const auto outcome = commit();
  CAF_CHECK_EQUAL(outcome.committed, 3u);
  CAF_CHECK_EQUAL(outcome.transactions, 1u);
  CAF_CHECK((connection.asked == std::vector<std::string>{"begin", "good", "good", "good", "commit"}));
}

CAF_TEST(a bad unit makes the group repeat once with savepoints) {
  add("good"), add("bad"), add("good"), add("bad");
  const auto outcome = commit();
  CAF_CHECK_EQUAL(outcome.committed, 2u);
  CAF_CHECK(outcome.answers[0].has_value() && outcome.answers[2].has_value());
  CAF_CHECK_EQUAL(outcome.answers[1].error().code, error_code::conflict);
  CAF_CHECK_EQUAL(outcome.answers[3].error().code, error_code::conflict);
  CAF_CHECK_EQUAL(connection.times("SAVEPOINT unit"), 4);
  CAF_CHECK_EQUAL(connection.times("begin"), 2);
  CAF_CHECK_EQUAL(connection.times("commit"), 1);
  CAF_CHECK(!outcome.trouble);
}

CAF_TEST(a single bad unit is not repeated) {
  add("bad");
  const auto outcome = commit();
  CAF_CHECK_EQUAL(outcome.answers[0].error().code, error_code::conflict);
  CAF_CHECK_EQUAL(connection.times("begin"), 1);
}

CAF_TEST(a deadlock is repeated and does not show) {
  add("good"), add("fragile");
  connection.run_failures = {failure(blame::contention), failure(blame::contention)};
  const auto outcome = commit();
  CAF_CHECK_EQUAL(outcome.committed, 2u);
  CAF_CHECK_EQUAL(connection.times("begin"), 3);
}

CAF_TEST(a group that deadlocks again and again is carried out unit by unit) {
  add("good"), add("fragile"), add("good");
  connection.run_failures = {failure(blame::contention), failure(blame::contention), failure(blame::contention)};
  const auto outcome = commit();
  CAF_CHECK_EQUAL(outcome.committed, 3u);
  CAF_CHECK_EQUAL(outcome.transactions, 3u);
}

CAF_TEST(endless contention ends as an error) {
  add("fragile");
  connection.run_failures.assign(100, failure(blame::contention));
  const auto outcome = commit();
  CAF_CHECK_EQUAL(outcome.answers[0].error().code, error_code::database_error);
  CAF_CHECK(connection.times("begin") < 20);
}

CAF_TEST(a commit with unknown outcome is never repeated) {
  add("good"), add("good");
  auto broken = failure(blame::connection);
  broken.outcome_unknown = true;
  connection.commit_failures = {broken};
  const auto outcome = commit();
  CAF_CHECK_EQUAL(connection.times("commit"), 1);
  CAF_CHECK_EQUAL(outcome.answers.size(), 2u);
  CAF_CHECK(!outcome.answers[0] && !outcome.answers[1]);
  CAF_CHECK(outcome.trouble && outcome.trouble->outcome_unknown);
}

CAF_TEST(trouble of the database fails the whole group at once) {
  add("good"), add("fragile"), add("good");
  connection.run_failures = {failure(blame::database, error_code::storage_full)};
  const auto outcome = commit();
  for (const auto& answer : outcome.answers) CAF_CHECK_EQUAL(answer.error().code, error_code::storage_full);
  CAF_CHECK_EQUAL(connection.times("begin"), 1);
  CAF_CHECK_EQUAL(connection.times("commit"), 0);
}

CAF_TEST_FIXTURE_SCOPE_END()
