#define CAF_SUITE cluster_init

#include "fake_node.hpp"
#include "runtime/entity/single_node_placement.hpp"
#include "runtime/storage/postgres_session.hpp"
#include "runtime/storage/postgres_url.hpp"
#include "schemas/ids.hpp"

#include <caf/test/unit_test.hpp>

#include <cstdlib>
#include <filesystem>

using namespace tobit;

namespace {

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

/// A database of its own: founding looks at who else is connected to it.
class own_database {
public:
  own_database() {
    std::erase(name_, '-');
    order("CREATE DATABASE " + name_);
    const std::string server{std::getenv("TOBIT_TEST_DATABASE_URL")};
    url = server.substr(0, server.rfind('/') + 1) + name_;
  }
  ~own_database() { order("DROP DATABASE " + name_ + " WITH (FORCE)"); }
  std::string url;

private:
  void order(const std::string& sql) {
    const char* server = std::getenv("TOBIT_TEST_DATABASE_URL");
    CAF_REQUIRE(server != nullptr);
    auto opened = storage::open_postgres_session(server, {}, storage::session_role::writer);
    CAF_REQUIRE(opened.has_value());
    CAF_REQUIRE((*opened)->script(sql).has_value());
  }
  std::string name_ = "c" + new_uuid();
};

std::string value_of(storage::database& in, const std::string& name) {
  auto found = in.read_and_wait({"SELECT value FROM cluster_value WHERE name = $1", {name}});
  CAF_REQUIRE(found.has_value());
  return found->empty() ? std::string{} : storage::as_text((*found)[0][0]);
}

} // namespace

CAF_TEST(an empty database becomes a cluster once) {
  fake_shell shell;
  own_database db;
  const auto folder = shell.home + "/c";
  CAF_CHECK_EQUAL(
      shell.run({"cluster", "init", "--database", db.url, "--nodes", "a,b,c", "--dir", folder, "--shards", "16"}), 0);
  CAF_CHECK(contains(shell.out, "16 shards"));
  CAF_CHECK(contains(shell.out, "tobit serve --config " + folder + "/a/tobit.yaml"));
  CAF_CHECK_EQUAL(shell.run({"serve", "--config", folder + "/c/tobit.yaml"}), 0);
  auto store = storage::open_database(db.url);
  CAF_REQUIRE(store.has_value());
  CAF_CHECK_EQUAL(value_of(**store, "cluster_id"), shell.served[0].text(config::setting::cluster_id));
  CAF_CHECK_EQUAL(value_of(**store, "shard_count"), "16");
  store->reset();

  const auto other = shell.home + "/other";
  CAF_CHECK_EQUAL(shell.run({"cluster", "init", "--database", db.url, "--nodes", "a", "--dir", other}), 2);
  CAF_CHECK(contains(shell.err, "belongs to the cluster c-"));
  CAF_CHECK(!std::filesystem::exists(other)); // nothing is left of the attempt
  CAF_CHECK_EQUAL(shell.run({"cluster", "init", "--database", db.url, "--nodes", "a", "--dir", folder}), 2);
  CAF_CHECK(contains(shell.err, "holds a cluster already"));
  CAF_CHECK(std::filesystem::exists(folder + "/a/tobit.yaml"));
}

CAF_TEST(the store of a single node becomes a cluster when it is stopped) {
  fake_shell shell;
  own_database db;
  const auto folder = shell.home + "/c";
  {
    auto store = storage::open_database(db.url);
    CAF_REQUIRE(store.has_value());
    auto alone = entity::single_node_placement::open(**store, node_id{"local"}, 8);
    CAF_REQUIRE(alone.has_value() && (*alone)->take_shards().has_value());
    CAF_CHECK_EQUAL(shell.run({"cluster", "init", "--database", db.url, "--nodes", "a", "--dir", folder}), 2);
    CAF_CHECK(contains(shell.err, "stop it first"));
    CAF_CHECK(!std::filesystem::exists(folder));
  }
  // PostgreSQL shows a session for a moment after it was closed.
  int code = 2;
  for (int i = 0; i < 200 && code != 0; ++i)
    code = shell.run({"cluster", "init", "--database", db.url, "--nodes", "a", "--dir", folder, "--json"});
  CAF_REQUIRE_EQUAL(code, 0);
  CAF_CHECK_EQUAL(parsed(shell.out).at("shard_count"), 8); // it keeps its own
  auto store = storage::open_database(db.url);
  CAF_REQUIRE(store.has_value());
  auto shards = (*store)->read_and_wait({"SELECT count(*) FROM shard WHERE owner = '' AND epoch = 2"});
  CAF_REQUIRE(shards.has_value());
  CAF_CHECK_EQUAL(storage::as_int((*shards)[0][0]), 8);
  const auto refused = entity::single_node_placement::open(**store, node_id{"local"});
  CAF_CHECK(!refused.has_value());
}
