#define CAF_SUITE postgres_trouble

#include "runtime/storage/postgres_listener.hpp"
#include "runtime/storage/postgres_session.hpp"
#include "schemas/ids.hpp"
#include "tests/support/scratch_database.hpp"

#include <caf/test/unit_test.hpp>

#include <atomic>
#include <poll.h>
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

CAF_TEST(sessions of a cluster forget a client that went silent and those of a single node do not ) {
  testing::scratch_database db{testing::database_kind::postgresql};
  const auto settings_of = [&](const database_options& options) {
    auto opened = open_postgres(db.url(), options);
    CAF_REQUIRE(opened);
    auto found = (*opened)->read_and_wait(sql("SELECT name || '=' || setting FROM pg_settings WHERE name IN"
                                              " ('idle_in_transaction_session_timeout', 'lock_timeout',"
                                              " 'tcp_user_timeout') ORDER BY name"));
    CAF_REQUIRE(found);
    std::string all;
    for (const auto& row : found->values) all += as_text(row[0]) + " ";
    return all;
  };
  database_options clustered;
  clustered.forget_client_after = std::chrono::milliseconds{3'000};
  CAF_CHECK_EQUAL(settings_of(clustered),
                  "idle_in_transaction_session_timeout=3000 lock_timeout=3000 tcp_user_timeout=3000 ");
  CAF_CHECK_EQUAL(settings_of({}), "idle_in_transaction_session_timeout=0 lock_timeout=0 tcp_user_timeout=0 ");
}

CAF_TEST(a transaction that its node has forgotten lets go of its rows) {
  testing::scratch_database db{testing::database_kind::postgresql};
  database_options clustered;
  clustered.forget_client_after = std::chrono::milliseconds{300};
  auto silent = open_postgres_session(db.url(), clustered, session_role::writer);
  CAF_REQUIRE(silent);
  CAF_REQUIRE(db->write_and_wait({{sql("INSERT INTO shard (id, owner, epoch) VALUES (1, 'a', 1)")}, 0}));
  CAF_REQUIRE((*silent)->begin());
  CAF_REQUIRE((*silent)->run(sql("SELECT 1 FROM shard WHERE id = 1 {for_share}")));
  const auto begun = std::chrono::steady_clock::now();
  CAF_CHECK(db->write_and_wait({{sql("UPDATE shard SET epoch = 2 WHERE id = 1")}, 0}));
  const auto waited = std::chrono::steady_clock::now() - begun;
  CAF_CHECK(waited >= std::chrono::milliseconds{100} && waited < std::chrono::seconds{3});
  const auto late = (*silent)->run(sql("SELECT 1"));
  CAF_CHECK(!late && late.error().whose == blame::connection);
}

namespace {

bool readable(const postgres_listener& on, std::chrono::milliseconds patience) {
  pollfd one{on.descriptor(), POLLIN, 0};
  return ::poll(&one, 1, static_cast<int>(patience.count())) == 1;
}

std::int64_t process_of(session& on) {
  auto found = on.run(sql("SELECT pg_backend_pid()::bigint"));
  CAF_REQUIRE(found);
  return as_int(found->returned[0][0]);
}

} // namespace

CAF_TEST(a listener hears notifications between statements and with their answers) {
  testing::scratch_database db{testing::database_kind::postgresql};
  const auto channel = "c" + new_uuid().substr(0, 8);
  auto listener = open_postgres_listener(db.url(), {}, channel);
  CAF_REQUIRE(listener);
  const auto tell = [&](const std::string& what) {
    CAF_REQUIRE(db->write_and_wait({{sql("SELECT pg_notify($1, $2)", {channel, what})}, 0}));
  };
  tell("1");
  CAF_REQUIRE(readable(**listener, std::chrono::seconds{5}));
  auto heard = (*listener)->heard();
  CAF_REQUIRE(heard);
  CAF_CHECK(*heard == std::vector<std::string>{"1"});
  tell("2");
  CAF_REQUIRE(readable(**listener, std::chrono::seconds{5}));
  CAF_REQUIRE((*listener)->run(sql("SELECT 1"))); // reads it from the socket, too
  heard = (*listener)->heard();
  CAF_REQUIRE(heard);
  CAF_CHECK(*heard == std::vector<std::string>{"2"});
  CAF_CHECK(!readable(**listener, std::chrono::milliseconds{0}));
  heard = (*listener)->heard();
  CAF_CHECK(heard && heard->empty());
}

CAF_TEST(a listener learns at once that its connection is gone and does not connect again by itself) {
  testing::scratch_database db{testing::database_kind::postgresql};
  auto listener = open_postgres_listener(db.url(), {}, "nobody");
  CAF_REQUIRE(listener);
  const auto process = process_of(**listener);
  const auto begun = std::chrono::steady_clock::now();
  CAF_REQUIRE(db->write_and_wait({{sql("SELECT pg_terminate_backend($1::int)", {process})}, 0}));
  auto heard = (*listener)->heard();
  while (heard && readable(**listener, std::chrono::seconds{5})) heard = (*listener)->heard();
  CAF_CHECK(!heard && heard.error().whose == blame::connection);
  CAF_CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds{1});
  const auto after = (*listener)->run(sql("SELECT 1"));
  CAF_CHECK(!after && after.error().whose == blame::connection);
}

CAF_TEST(a session that waits for the server can be interrupted from another thread) {
  testing::scratch_database db{testing::database_kind::postgresql};
  auto waiting = open_postgres_session(db.url(), {}, session_role::writer);
  CAF_REQUIRE(waiting);
  session& one = **waiting;
  CAF_REQUIRE(one.begin());
  const auto begun = std::chrono::steady_clock::now();
  std::thread other{[&] { one.interrupt(); }};
  const auto slept = one.run(sql("SELECT pg_sleep(20)"));
  other.join();
  CAF_CHECK(!slept && slept.error().whose == blame::connection);
  CAF_CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds{5});
}
