#include "tests/support/scratch_database.hpp"

#include "schemas/ids.hpp"

#include <pqxx/pqxx>

#include <cstdlib>
#include <stdexcept>
#include <stdlib.h>
#include <system_error>
#include <unistd.h>

namespace tobit::testing {

namespace {

// Memory-backed where there is such a place: an fsync costs nothing there, and no test here cuts the power.
std::filesystem::path temporary_root() {
  if (const char* chosen = std::getenv("TMPDIR")) return chosen;
  if (::access("/dev/shm", W_OK) == 0) return "/dev/shm";
  return std::filesystem::temp_directory_path();
}

std::filesystem::path make_folder() {
  auto pattern = (temporary_root() / "tobit-test.XXXXXX").string();
  if (!::mkdtemp(pattern.data())) throw std::runtime_error("no temporary folder at " + pattern);
  return pattern;
}

std::string server_url() {
  if (const char* url = std::getenv("TOBIT_TEST_DATABASE_URL"); url && *url) return url;
  throw std::runtime_error("TOBIT_TEST_DATABASE_URL is not set: run this through tests/postgres.sh");
}

void run_on_server(const std::string& sql) {
  pqxx::connection server{server_url()};
  pqxx::nontransaction{server}.exec(sql);
}

std::string new_schema_name() {
  auto name = "t" + new_uuid();
  std::erase(name, '-');
  return name;
}

} // namespace

scratch_database::scratch_database(database_kind kind, const storage::database_options& options)
    : options_(options), folder_(make_folder()) {
  if (kind == database_kind::sqlite) {
    url_ = (folder_ / "tobit.db").string();
  } else {
    schema_ = new_schema_name();
    run_on_server("CREATE SCHEMA " + schema_);
    url_ =
        server_url() + (server_url().find('?') == std::string::npos ? "?" : "&") + "options=-csearch_path%3D" + schema_;
  }
  reopen();
}

scratch_database::~scratch_database() {
  close();
  try {
    if (!schema_.empty()) run_on_server("SET client_min_messages = error; DROP SCHEMA " + schema_ + " CASCADE");
  } catch (const std::exception&) {
    // The test has stopped the server; its whole folder goes away with it.
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void scratch_database::reopen() {
  close();
  auto opened = storage::open_database(url_, options_);
  if (!opened) throw std::runtime_error("no database: " + std::string(opened.error().text()));
  open_ = std::move(*opened);
}

} // namespace tobit::testing
