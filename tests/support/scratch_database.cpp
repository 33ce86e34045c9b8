#include "tests/support/scratch_database.hpp"

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

} // namespace

scratch_database::scratch_database(database_kind kind, const storage::database_options& options)
    : kind_(kind), options_(options), folder_(make_folder()) {
  url_ = (folder_ / "tobit.db").string();
  reopen();
}

scratch_database::~scratch_database() {
  close();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void scratch_database::reopen() {
  close();
  if (kind_ != database_kind::sqlite) throw std::runtime_error("no PostgreSQL here");
  auto opened = storage::open_sqlite(url_, options_);
  if (!opened) throw std::runtime_error("no database: " + std::string(opened.error().text()));
  open_ = std::move(*opened);
}

} // namespace tobit::testing
