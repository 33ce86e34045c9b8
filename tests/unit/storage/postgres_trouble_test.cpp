#define CAF_SUITE postgres_trouble

#include "schemas/ids.hpp"
#include "tests/support/scratch_database.hpp"

#include <caf/test/unit_test.hpp>

#include <atomic>
#include <set>
#include <thread>

using namespace tobit;
using namespace tobit::storage;

namespace {

statement sql(std::string_view text, std::vector<value> params = {}) {
  statement s;
  s.sql = text;
  s.params = std::move(params);
  return s;
}

} // namespace

CAF_TEST(connections cut by the server are opened again and no acknowledgement is wrong) {
  testing::scratch_database db{testing::database_kind::postgresql};
  const auto name = "cut" + new_uuid().substr(0, 13);
  auto opened = open_postgres(db.url() + "&application_name=" + name);
  CAF_REQUIRE(opened);
  std::set<std::string> acknowledged, refused;
  std::size_t unknown = 0;
  for (int i = 0; i < 400; ++i) {
    // In the middle of other work, on whatever lane that may be.
    if (i % 40 == 20)
      db->write(
          {{sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = $1", {name})},
           0},
          [](const result<write_outcome>&) {});
    const auto key = "k" + std::to_string(i);
    auto outcome = (*opened)->write_and_wait(
        {{sql("INSERT INTO cluster_value (name, value) VALUES ($1, 'x')", {key})}, static_cast<std::uint64_t>(i)});
    if (outcome)
      acknowledged.insert(key);
    else if (outcome_unknown(outcome.error()))
      ++unknown;
    else
      refused.insert(key);
  }
  auto found = db->read_and_wait(sql("SELECT name FROM cluster_value"));
  CAF_REQUIRE(found);
  std::set<std::string> there;
  for (const auto& row : found->values) there.insert(as_text(row[0]));
  for (const auto& key : acknowledged) CAF_CHECK(there.contains(key));
  for (const auto& key : refused) CAF_CHECK(!there.contains(key));
  CAF_MESSAGE("acknowledged " << acknowledged.size() << ", refused " << refused.size() << ", unknown " << unknown);
  CAF_CHECK(acknowledged.size() > 200u);
  CAF_CHECK((*opened)->write_and_wait({{sql("SELECT 1")}, 0}));
}

CAF_TEST(many nodes may start at once on a new schema) {
  testing::scratch_database db{testing::database_kind::postgresql};
  CAF_REQUIRE(db->write_and_wait({{sql("DROP TABLE migration")}, 0}).has_value());
  auto tables =
      db->read_and_wait(sql("SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()"));
  CAF_REQUIRE(tables);
  std::vector<std::string> drops; // outlive the statements, as literals do
  for (const auto& row : tables->values) drops.push_back("DROP TABLE " + as_text(row[0]));
  for (const auto& drop : drops) CAF_REQUIRE(db->write_and_wait({{sql(drop)}, 0}).has_value());
  db.close();
  std::atomic<int> opened{0};
  std::vector<std::thread> nodes;
  for (int i = 0; i < 4; ++i) nodes.emplace_back([&] { opened += open_postgres(db.url()).has_value() ? 1 : 0; });
  for (auto& node : nodes) node.join();
  CAF_CHECK_EQUAL(opened.load(), 4);
}
