#define CAF_SUITE reference

#include "config/reference.hpp"

#include <caf/test/unit_test.hpp>

#include <cstdlib>
#include <fstream>
#include <sstream>

using namespace tobit::config;

CAF_TEST(the page of settings in the repository is the one the program makes) {
  const std::string path = TOBIT_SOURCE_DIR "/docs/reference/settings.md";
  if (std::getenv("TOBIT_TEST_UPDATE")) std::ofstream(path) << reference_page();
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  CAF_MESSAGE("update with TOBIT_TEST_UPDATE=1, or `tobit config reference > docs/reference/settings.md`");
  CAF_CHECK(text.str() == reference_page());
}

CAF_TEST(the list shows each setting with its source and no secret) {
  settings s;
  CAF_REQUIRE(s.set(setting::admin_password, "hunter2", source::environment, "TOBIT_ADMIN_PASSWORD").has_value());
  CAF_REQUIRE(s.set(setting::http_workers, "9", source::file, "/etc/t.yaml:3:1").has_value());
  const auto text = listing(s);
  CAF_CHECK_EQUAL(text.find("hunter2"), std::string::npos);
  CAF_CHECK_NOT_EQUAL(text.find("set by /etc/t.yaml:3:1"), std::string::npos);
  for (const auto& row : setting_table()) CAF_CHECK_NOT_EQUAL(text.find(row.variable), std::string::npos);
  const auto rows = listing_json(s).at("settings");
  CAF_CHECK_EQUAL(rows.size(), setting_table().size());
  CAF_CHECK_EQUAL(rows.dump().find("hunter2"), std::string::npos);
}
