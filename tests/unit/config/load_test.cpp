#define CAF_SUITE load

#include "config/load.hpp"

#include <caf/test/unit_test.hpp>

#include <filesystem>
#include <fstream>
#include <unistd.h>

using namespace tobit::config;
using namespace std::chrono_literals;

namespace {

struct file {
  std::string path = (std::filesystem::temp_directory_path() / "tobit-config-XXXXXX").string();
  explicit file(std::string_view text) {
    const int fd = ::mkstemp(path.data());
    CAF_REQUIRE(fd >= 0);
    ::close(fd);
    std::ofstream(path, std::ios::binary) << text;
  }
  ~file() { std::filesystem::remove(path); }
};

std::string all(const std::vector<problem>& problems) {
  std::string out;
  for (const auto& p : problems) out += to_string(p) + "\n";
  return out;
}

std::string problems_of(const inputs& in) {
  const auto loaded = load(in);
  return loaded ? std::string{} : all(loaded.error());
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

} // namespace

CAF_TEST(without anything the defaults hold) {
  const auto s = load({});
  CAF_REQUIRE(s.has_value());
  CAF_CHECK_EQUAL(s->text(setting::http_address), "127.0.0.1:8000");
  CAF_CHECK(s->duration(setting::auth_access_token_lifetime) == 30min);
  CAF_CHECK_EQUAL(s->size(setting::http_head_max), 32'768u);
  CAF_CHECK(s->list(setting::outbound_allow).empty());
  CAF_CHECK(s->source_of(setting::http_address) == source::initial);
}

CAF_TEST(flags win over environment over file over defaults) {
  const file f("http:\n  address: 1.1.1.1:1\n  workers: 7\nlog.level: debug\ndata_dir: /from/file\n");
  inputs in;
  in.environment = {
      {"TOBIT_CONFIG", f.path}, {"TOBIT_HTTP_ADDRESS", "2.2.2.2:2"}, {"TOBIT_LOG_LEVEL", "error"}, {"HOME", "/"}};
  in.flags = {{setting::http_address, "3.3.3.3:3"}};
  const auto s = load(in);
  CAF_REQUIRE(s.has_value());
  CAF_CHECK_EQUAL(s->text(setting::http_address), "3.3.3.3:3");
  CAF_CHECK_EQUAL(s->origin(setting::http_address), "--http-address");
  CAF_CHECK_EQUAL(s->text(setting::log_level), "error");
  CAF_CHECK(s->source_of(setting::log_level) == source::environment);
  CAF_CHECK_EQUAL(s->integer(setting::http_workers), 7);
  CAF_CHECK_EQUAL(s->origin(setting::http_workers), f.path + ":3:3");
  CAF_CHECK_EQUAL(s->text(setting::data_dir), "/from/file");
}

CAF_TEST(the flag names another file than the environment) {
  const file wanted("http.workers: 9\n");
  inputs in;
  in.environment = {{"TOBIT_CONFIG", "/does/not/exist"}};
  in.flags = {{setting::config, wanted.path}};
  const auto s = load(in);
  CAF_REQUIRE(s.has_value());
  CAF_CHECK_EQUAL(s->integer(setting::http_workers), 9);
}

CAF_TEST(an empty variable counts as not set) {
  inputs in;
  in.environment = {{"TOBIT_DATABASE_URL", ""}, {"TOBIT_HTTP_ADDRESS", ""}};
  const auto s = load(in);
  CAF_REQUIRE(s.has_value());
  CAF_CHECK(s->source_of(setting::http_address) == source::initial);
}

CAF_TEST(every problem of every place is listed at once) {
  const file f("http:\n  adress: 1.1.1.1:1\n  workers: many\nlog:\n  level: loud\n");
  inputs in;
  in.environment = {{"TOBIT_CONFIG", f.path}, {"TOBIT_ENTITY_IDLE_AFTER", "soon"}};
  in.flags = {{setting::http_address, "nowhere"}};
  const auto text = problems_of(in);
  CAF_CHECK(contains(text, f.path + ":2:3: http.adress: is not a known setting; did you mean 'http.address'?"));
  CAF_CHECK(contains(text, f.path + ":3:12: http.workers: 'many' is not a whole number; allowed: 1 to 256 threads"));
  CAF_CHECK(contains(
      text, f.path + ":5:10: log.level: 'loud' is not one of the choices; allowed: debug, info, warning or error"));
  CAF_CHECK(contains(text, "TOBIT_ENTITY_IDLE_AFTER: entity.idle_after: 'soon' is not a duration"));
  CAF_CHECK(contains(text, "--http-address: http.address: 'nowhere' is not an IP address and a port"));
}

CAF_TEST(a file that cannot be read is refused with the reason) {
  CAF_CHECK(contains(problems_of({{{"TOBIT_CONFIG", "/does/not/exist"}}, {}}),
                     "/does/not/exist: cannot be read: No such file"));
  CAF_CHECK(contains(problems_of({{{"TOBIT_CONFIG", "/tmp"}}, {}}), "/tmp: is not a file"));
}

CAF_TEST(settings that contradict each other are refused) {
  inputs in;
  in.flags = {{setting::http_tls_certificate, "a.pem"}, {setting::auth_refresh_token_lifetime, "10m"}};
  const auto text = problems_of(in);
  CAF_CHECK(contains(text, "--http-tls-certificate: http.tls_certificate: HTTPS needs both files"));
  CAF_CHECK(contains(text, "auth.refresh_token_lifetime: is shorter"));
}

CAF_TEST(a node of a cluster needs a shared store a name its cluster and its certificates) {
  inputs in;
  in.flags = {{setting::cluster_listen, "0.0.0.0:8001"}};
  auto text = problems_of(in);
  for (const auto* said : {"cluster.listen: needs PostgreSQL", "`tobit promote`", "cluster.id: is missing",
                           "node.id: is missing", "cluster.advertise", "cluster.authority: is missing",
                           "cluster.certificate: is missing", "cluster.key: is missing"})
    CAF_CHECK(contains(text, said));
  in.flags = {{setting::cluster_listen, "10.0.0.7:8001"},
              {setting::database_url, "postgresql://db/tobit"},
              {setting::cluster_id, "c-1"},
              {setting::node_id, "local"}, // the default, but on purpose
              {setting::cluster_plain, "true"}};
  text = problems_of(in);
  CAF_CHECK(contains(text, "cluster.plain: is for nodes on one machine"));
  CAF_CHECK(!contains(text, "node.id"));
  in.flags[0].second = "127.0.0.1:0";
  CAF_CHECK(load(in).has_value());
}

CAF_TEST(a lease has room for one renewal that is lost) {
  inputs in;
  in.flags = {{setting::cluster_listen, "127.0.0.1:0"},
              {setting::database_url, "postgresql://db/tobit"},
              {setting::cluster_id, "c-1"},
              {setting::node_id, "a"},
              {setting::cluster_plain, "true"},
              {setting::cluster_lease, "2400ms"}};
  CAF_CHECK(contains(problems_of(in), "cluster.lease: must be longer than"));
  in.flags.back().second = "2401ms";
  CAF_CHECK(load(in).has_value());
}

CAF_TEST(a misspelt variable is remarked and stops nothing) {
  inputs in;
  in.environment = {{"TOBIT_LOGLEVEL", "debug"}, {"TOBIT_URL", "http://x"}, {"TOBIT_TEST_DATABASE_URL", "x"}};
  const auto s = load(in);
  CAF_REQUIRE(s.has_value());
  CAF_REQUIRE_EQUAL(s->warnings().size(), 1u);
  CAF_CHECK(contains(s->warnings().front(), "did you mean TOBIT_LOG_LEVEL?"));
}

CAF_TEST(secrets are shown nowhere) {
  inputs in;
  in.environment = {{"TOBIT_ADMIN_PASSWORD", "hunter2"}, {"TOBIT_DATABASE_URL", "postgresql://tobit:hunter2@db/ops"}};
  const auto s = load(in);
  CAF_REQUIRE(s.has_value());
  CAF_CHECK_EQUAL(s->text(setting::admin_password), "hunter2");
  CAF_CHECK_EQUAL(s->shown(setting::admin_password), "***");
  CAF_CHECK_EQUAL(s->shown(setting::database_url), "postgresql://tobit:***@db/ops");
  in.environment = {{"TOBIT_DATABASE_URL", "mysql://tobit:hunter2@db/ops"},
                    {"TOBIT_ADMIN_PASSWORD", std::string(5'000, 'x')}};
  const auto text = problems_of(in);
  CAF_CHECK(!text.empty());
  CAF_CHECK(!contains(text, "hunter2"));
  CAF_CHECK(!contains(text, "xxx"));
}

CAF_TEST(relative files lie in the data folder) {
  settings s;
  CAF_REQUIRE(s.set(setting::data_dir, "/var/lib/tobit", source::flag, "").has_value());
  CAF_CHECK_EQUAL(s.in_data_dir("log/tobit.log"), "/var/lib/tobit/log/tobit.log");
  CAF_CHECK_EQUAL(s.in_data_dir("/var/log/t.log"), "/var/log/t.log");
  CAF_CHECK_EQUAL(s.in_data_dir(""), "");
}
