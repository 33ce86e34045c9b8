#define CAF_SUITE cluster_command

#include "fake_node.hpp"
#include "node/cli/cluster_files.hpp"

#include <caf/test/unit_test.hpp>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <sys/stat.h>

using namespace tobit;

namespace {

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

std::string read(const std::string& file) {
  std::ostringstream text;
  text << std::ifstream{file}.rdbuf();
  return text.str();
}

} // namespace

CAF_TEST(the nodes are shown as a table) {
  fake_shell shell;
  shell.node = [](const auto&) {
    return success({{"nodes",
                     {{{"node", "a"},
                       {"incarnation", 12},
                       {"address", "10.0.0.1:8700"},
                       {"status", "up"},
                       {"build", "1.2"},
                       {"protocol", {1, 2}},
                       {"lease_left_ms", 2'430},
                       {"shards", 128},
                       {"leader", true},
                       {"linked", true}},
                      {{"node", "b\x1b[31m"},
                       {"incarnation", 13},
                       {"status", "draining"},
                       {"lease_left_ms", -1'500},
                       {"shards", 3},
                       {"leader", false},
                       {"linked", false},
                       {"answered", false},
                       {"error", "It is late."}}}}});
  };
  CAF_CHECK_EQUAL(shell.run({"cluster", "status"}), 0);
  CAF_CHECK(contains(shell.requests.back().url, "/cluster/nodes"));
  CAF_CHECK(contains(shell.out, "NODE"));
  CAF_CHECK(contains(shell.out, "2.4 s"));
  CAF_CHECK(contains(shell.out, "1 to 2"));
  CAF_CHECK(contains(shell.out, "does not answer: It is late."));
  CAF_CHECK(contains(shell.out, "1.5 s over"));
  CAF_CHECK(!contains(shell.out, "\x1b"));
  CAF_CHECK_EQUAL(shell.run({"cluster", "status", "--json"}), 0);
  CAF_CHECK_EQUAL(parsed(shell.out).at("nodes").size(), 2u);
}

CAF_TEST(the shards and the leader are shown) {
  fake_shell shell;
  shell.node = [](const auto& request) {
    if (contains(request.url, "/leader"))
      return success({{"leader", {{"node", "a"}, {"incarnation", 12}, {"epoch", 7}}}});
    return success({{"shards",
                     {{{"shard", 0}, {"owner", "a"}, {"incarnation", 12}, {"epoch", 3}, {"target", 0}},
                      {{"shard", 1}, {"owner", "b"}, {"incarnation", 13}, {"epoch", 4}, {"target", 12}}}}});
  };
  CAF_CHECK_EQUAL(shell.run({"cluster", "shards"}), 0);
  CAF_CHECK(contains(shell.out, "0      a"));
  CAF_CHECK(contains(shell.out, "1      b"));
  CAF_CHECK_EQUAL(shell.run({"cluster", "shards", "--node", "b"}), 0);
  CAF_CHECK(!contains(shell.out, "0      a"));
  CAF_CHECK_EQUAL(shell.run({"cluster", "leader"}), 0);
  CAF_CHECK(contains(shell.out, "a leads (incarnation 12, epoch 7)"));
  shell.node = [](const auto&) { return success({{"leader", nullptr}}); };
  CAF_CHECK_EQUAL(shell.run({"cluster", "leader"}), 0);
  CAF_CHECK(contains(shell.out, "Nobody leads"));
}

CAF_TEST(drain and remove name the node and pass refusals on) {
  fake_shell shell;
  shell.node = [](const auto&) { return success(nullptr); };
  CAF_CHECK_EQUAL(shell.run({"cluster", "drain", "b/1"}), 0);
  CAF_CHECK_EQUAL(shell.requests.back().method, "POST");
  CAF_CHECK(contains(shell.requests.back().url, "/cluster/nodes/b%2F1/drain"));
  CAF_CHECK_EQUAL(shell.run({"cluster", "remove", "b"}), 0);
  CAF_CHECK_EQUAL(shell.requests.back().method, "DELETE");
  CAF_CHECK(contains(shell.requests.back().url, "/cluster/nodes/b"));
  shell.node = [](const auto&) { return refusal(409, "CONFLICT", "The node still answers."); };
  CAF_CHECK_EQUAL(shell.run({"cluster", "remove", "b"}), 1);
  CAF_CHECK(contains(shell.err, "still answers"));
  CAF_CHECK_EQUAL(shell.run({"cluster", "drain"}), 2);
}

CAF_TEST(what cannot become a cluster is refused before anything is written) {
  fake_shell shell;
  const auto folder = shell.home + "/c";
  const auto refused = [&](std::vector<std::string> more, std::string_view said) {
    std::vector<std::string> arguments{"cluster", "init", "--dir", folder};
    arguments.insert(arguments.end(), more.begin(), more.end());
    CAF_CHECK_EQUAL(shell.run(arguments), 2);
    CAF_CHECK(contains(shell.err, said));
    CAF_CHECK(!std::filesystem::exists(folder));
  };
  refused({"--nodes", "a,b"}, "--database");
  const std::string url = "postgresql://tobit:secret@127.0.0.1:1/none";
  refused({"--database", url, "--nodes", "a,a"}, "is there twice");
  refused({"--database", url, "--nodes", "a b"}, "node name");
  refused({"--database", url, "--nodes", "../x"}, "is not 1 to 64 letters");
  refused({"--database", url, "--nodes", ".."}, "must not begin with a dot");
  refused({"--database", url, "--nodes", "a=nowhere"}, "is not an IP address");
  refused({"--database", "data/tobit.db", "--nodes", "a"}, "PostgreSQL");
  refused({"--database", url, "--nodes", "a"}, "check that the server runs");
  CAF_CHECK(!contains(shell.err, "secret"));
}

CAF_TEST(nodes on one address get ports of their own) {
  const auto nodes = cli::plan_nodes("a, b,c=10.0.0.7,d=::1", "127.0.0.1", 8000, 8700);
  CAF_REQUIRE(nodes.has_value());
  CAF_REQUIRE_EQUAL(nodes->size(), 4u);
  CAF_CHECK_EQUAL((*nodes)[0].http, "127.0.0.1:8000");
  CAF_CHECK_EQUAL((*nodes)[1].http, "127.0.0.1:8001");
  CAF_CHECK_EQUAL((*nodes)[1].cluster, "127.0.0.1:8701");
  CAF_CHECK_EQUAL((*nodes)[2].cluster, "10.0.0.7:8700");
  CAF_CHECK_EQUAL((*nodes)[3].cluster, "[::1]:8700");
}

CAF_TEST(the folder of a cluster is for its owner only and holds what a node needs) {
  fake_shell shell;
  const auto path = shell.home + "/deep/c";
  cli::cluster_folder folder{path};
  const auto nodes = *cli::plan_nodes("a,b", "127.0.0.1", 8000, 8700);
  CAF_REQUIRE(folder.create("c-1", "postgresql://tobit:se\"cret@db/tobit", nodes, std::chrono::hours{48}).has_value());
  for (const auto& entry : std::filesystem::recursive_directory_iterator{path}) {
    struct stat found {};
    CAF_REQUIRE(::stat(entry.path().c_str(), &found) == 0);
    CAF_CHECK_EQUAL(found.st_mode & 077, 0u);
  }
  // The configuration is one that a node takes.
  CAF_CHECK_EQUAL(shell.run({"serve", "--config", path + "/b/tobit.yaml"}), 0);
  CAF_REQUIRE_EQUAL(shell.served.size(), 1u);
  const auto& served = shell.served[0];
  CAF_CHECK_EQUAL(served.text(config::setting::node_id), "b");
  CAF_CHECK_EQUAL(served.text(config::setting::cluster_id), "c-1");
  CAF_CHECK_EQUAL(served.text(config::setting::cluster_listen), "127.0.0.1:8701");
  CAF_CHECK_EQUAL(served.text(config::setting::database_url), "postgresql://tobit:se\"cret@db/tobit");
  // Its certificates are found whatever data folder it is given.
  CAF_CHECK_EQUAL(served.text(config::setting::cluster_key), std::filesystem::canonical(path).string() + "/b/node.key");
  const auto certified = cluster::read_certificate(read(path + "/b/node.pem"));
  CAF_REQUIRE(certified.has_value());
  CAF_CHECK_EQUAL(certified->node, "b");
  CAF_CHECK_EQUAL(certified->cluster_id, "c-1");

  cli::cluster_folder second{path};
  const auto refused = second.create("c-2", "postgresql://x/y", nodes, std::chrono::hours{48});
  CAF_REQUIRE(!refused.has_value());
  CAF_CHECK(contains(std::string{refused.error().text()}, "holds a cluster already"));
}

CAF_TEST(a later node and a new certificate come from the same authority) {
  fake_shell shell;
  const auto path = shell.home + "/c";
  cli::cluster_folder folder{path};
  const auto nodes = *cli::plan_nodes("a", "127.0.0.1", 8000, 8700);
  CAF_REQUIRE(folder.create("c-1", "postgresql://db/tobit", nodes, std::chrono::hours{48}).has_value());
  CAF_CHECK_EQUAL(shell.run({"cluster", "certificate", "--dir", path, "--node", "d=10.0.0.4"}), 0);
  CAF_CHECK(contains(shell.out, "The node d can join"));
  CAF_CHECK(contains(read(path + "/d/tobit.yaml"), "10.0.0.4:8700"));
  CAF_CHECK_EQUAL(read(path + "/d/authority.pem"), read(path + "/authority.pem"));
  const auto before = read(path + "/a/node.pem"), configuration = read(path + "/a/tobit.yaml");
  CAF_CHECK_EQUAL(shell.run({"cluster", "certificate", "--dir", path, "--node", "a", "--http-port", "9000"}), 0);
  CAF_CHECK(contains(shell.out, "A new certificate"));
  CAF_CHECK(read(path + "/a/node.pem") != before);
  CAF_CHECK_EQUAL(read(path + "/a/tobit.yaml"), configuration);
  CAF_CHECK_EQUAL(shell.run({"cluster", "certificate", "--dir", shell.home, "--node", "a"}), 2);
  CAF_CHECK(contains(shell.err, "--dir names the folder"));
}

CAF_TEST(promotion refuses what it cannot do) {
  fake_shell shell;
  CAF_CHECK_EQUAL(shell.run({"promote", "--to", "other.db"}), 2);
  CAF_CHECK(contains(shell.err, "--to takes a PostgreSQL database"));
  CAF_CHECK_EQUAL(shell.run({"promote", "--to", "postgresql://127.0.0.1:1/none", "--data-dir", shell.home}), 2);
  CAF_CHECK(contains(shell.err, "There is no SQLite store"));
}
