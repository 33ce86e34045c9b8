#define CAF_SUITE cluster_settings

#include "node/options.hpp"
#include "runtime/entity/single_node_placement.hpp"
#include "tests/support/scratch_database.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;
using namespace std::chrono_literals;
using config::setting;

namespace {

config::settings with(std::vector<std::pair<setting, std::string>> values) {
  config::settings made;
  for (const auto& [id, text] : values) CAF_REQUIRE(made.set(id, text, config::source::flag, "test").has_value());
  return made;
}

} // namespace

CAF_TEST(the settings of a cluster reach its parts) {
  const auto settings = with({{setting::cluster_listen, "localhost:7001"},
                              {setting::cluster_advertise, "10.0.0.7:7001"},
                              {setting::cluster_id, "c-1"},
                              {setting::node_id, "a"},
                              {setting::data_dir, "/srv/a"},
                              {setting::cluster_key, "key.pem"},
                              {setting::cluster_authority, "/etc/ca.pem"},
                              {setting::cluster_lease, "4s"},
                              {setting::cluster_margin, "600ms"}});
  CAF_REQUIRE(node::clustered(settings));
  const auto to = node::cluster_options_of(settings);
  CAF_CHECK_EQUAL(to.links.listen, "127.0.0.1:7001");
  CAF_CHECK_EQUAL(to.links.key_file, "/srv/a/key.pem");
  CAF_CHECK_EQUAL(to.links.authority_file, "/etc/ca.pem");
  CAF_CHECK_EQUAL(to.profile.address, "10.0.0.7:7001");
  CAF_CHECK_EQUAL(to.profile.node, "a");
  CAF_CHECK_EQUAL(to.profile.cluster_id, "c-1");
  CAF_CHECK(to.times.lease == 4s && to.times.margin == 600ms);
  CAF_CHECK(node::database_options(settings).forget_client_after == 4s);
  CAF_CHECK(!node::database_options(config::settings{}).forget_client_after);
  CAF_CHECK(!node::clustered(config::settings{}));
}

// A cluster whose nodes take the protocol's times from the table must keep those of the protocol's own header.
CAF_TEST(the defaults of the table are those of the protocol) {
  const auto of_table = node::cluster_options_of(config::settings{}).times;
  const cluster::cluster_times own;
  CAF_CHECK(of_table.lease == own.lease && of_table.margin == own.margin);
  CAF_CHECK(of_table.renew_interval == own.renew_interval && of_table.command_timeout == own.command_timeout);
  CAF_CHECK(of_table.hand_over == own.hand_over && of_table.drain == own.drain);
}

CAF_TEST(what must be equal on every node is compared and what need not be is not ) {
  const auto digest = node::shared_settings_digest(config::settings{});
  CAF_CHECK(digest != node::shared_settings_digest(with({{setting::cluster_lease, "4s"}})));
  CAF_CHECK(digest != node::shared_settings_digest(with({{setting::timezone, "UTC"}})));
  CAF_CHECK(digest != node::shared_settings_digest(with({{setting::entity_shard_count, "16"}})));
  CAF_CHECK_EQUAL(digest, node::shared_settings_digest(with({{setting::cluster_lease, "3000ms"},
                                                             {setting::node_id, "b"},
                                                             {setting::http_address, "127.0.0.1:1"}})));
}

CAF_TEST(a single node leaves the store of a cluster alone) {
  testing::scratch_database db;
  CAF_REQUIRE(entity::single_node_placement::open(*db, node_id{"local"}).has_value());
  CAF_REQUIRE(db->write_and_wait({{{"INSERT INTO cluster_value (name, value) VALUES ('cluster_id', 'c-1')"}}, 0}));
  const auto refused = entity::single_node_placement::open(*db, node_id{"local"});
  CAF_REQUIRE(!refused.has_value());
  CAF_CHECK(refused.error().code == error_code::configuration_error);
  CAF_CHECK(std::string{refused.error().text()}.find("c-1") != std::string::npos);
}
