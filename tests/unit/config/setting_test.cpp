#define CAF_SUITE setting

#include "config/setting.hpp"
#include "config/settings.hpp"

#include <caf/test/unit_test.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

using namespace tobit::config;

CAF_TEST(the names that scripts rely on are there) {
  for (auto [key, variable, flag] : std::initializer_list<std::tuple<const char*, const char*, const char*>>{
           {"data_dir", "TOBIT_DATA_DIR", "--data-dir"},
           {"http.address", "TOBIT_HTTP_ADDRESS", "--http-address"},
           {"database.url", "TOBIT_DATABASE_URL", "--database-url"},
           {"admin.password", "TOBIT_ADMIN_PASSWORD", "--admin-password"},
           {"outbound.allow", "TOBIT_OUTBOUND_ALLOW", "--outbound-allow"},
           {"config", "TOBIT_CONFIG", "--config"},
           {"log.level", "TOBIT_LOG_LEVEL", "--log-level"},
           {"load_examples", "TOBIT_LOAD_EXAMPLES", "--load-examples"}}) {
    const auto* row = find_setting(key);
    CAF_REQUIRE(row != nullptr);
    CAF_CHECK_EQUAL(row->variable, variable);
    CAF_CHECK_EQUAL(row->flag, flag);
  }
}

CAF_TEST(every row of the table makes sense) {
  std::set<std::string> names;
  for (const auto& row : setting_table()) {
    CAF_CHECK(&describe(row.id) == &row);
    CAF_CHECK(names.insert(row.variable).second && names.insert(row.flag).second &&
              names.insert(std::string(row.key)).second);
    CAF_CHECK_EQUAL(row.description.empty() || row.description.back() != '.', false);
    CAF_CHECK_EQUAL(row.reason.empty() || row.reason.back() != '.', false);
    CAF_CHECK(!limits_in_words(row).empty());
    CAF_CHECK_EQUAL(row.type == setting_type::integer, !row.unit.empty());
    const auto checked = parse_value(row, row.initial);
    CAF_CHECK(checked.has_value());
    if (checked) CAF_CHECK_EQUAL(format_value(row, *checked), row.initial);
  }
}

CAF_TEST(a typo finds the word that was meant) {
  const std::vector<std::string> known{"http.address", "log.level", "data_dir"};
  CAF_CHECK(nearest("http.adress", known) == "http.address");
  CAF_CHECK(nearest("log.levle", known) == "log.level");
  CAF_CHECK(!nearest("completely.else", known));
  CAF_CHECK(!nearest("", known));
  CAF_CHECK(!nearest(std::string(100'000, 'x'), known));
}

CAF_TEST(limits are said in words) {
  CAF_CHECK_EQUAL(limits_in_words(describe(setting::log_level)), "debug, info, warning or error");
  CAF_CHECK_EQUAL(limits_in_words(describe(setting::http_workers)), "1 to 256 threads");
  CAF_CHECK_EQUAL(limits_in_words(describe(setting::http_idle_time)), "1s to 1h");
}

CAF_TEST(every setting is read somewhere because one without effect is a promise that nobody keeps) {
  std::string sources;
  for (const auto* room : {"/node", "/http", "/actors", "/runtime", "/cluster", "/config"})
    for (const auto& entry : std::filesystem::recursive_directory_iterator(TOBIT_SOURCE_DIR + std::string(room))) {
      if (entry.path().extension() != ".cpp") continue;
      std::ifstream in(entry.path());
      std::ostringstream text;
      text << in.rdbuf();
      sources += text.str();
    }
  const std::vector<std::string> identifiers{
#define X(identifier, key, type, initial, limits, unit, flags, description, reason) #identifier,
#include "config/settings.def"
#undef X
  };
  for (const auto& identifier : identifiers) {
    // Followed by something that ends the word, or a longer name would do.
    bool found = false;
    for (const auto* end : {")", ",", ";", "]", " "})
      found |= sources.find("setting::" + identifier + end) != std::string::npos;
    CAF_CHECK_EQUAL(found ? "" : identifier, "");
  }
}
