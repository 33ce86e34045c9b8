#include "node/serve.hpp"

#include "node/node.hpp"
#include "node/stop_signal.hpp"
#include "schemas/error.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sys/resource.h>
#include <sys/stat.h>
#include <system_error>

namespace tobit::node {

namespace {

int refuse(const error& why) {
  std::fprintf(stderr, "tobit: %s\n", std::string(why.text()).c_str());
  return why.code == error_code::configuration_error ? exit_configuration : exit_failed;
}

/// Every connection is a file descriptor; the soft limit of many systems is 1,024.
void raise_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit); // refused: the server works within what there is
}

/// Makes the data folder, for its owner only: it will hold secrets.
result<void> prepare_folder(const std::string& folder) {
  std::error_code problem;
  if (std::filesystem::create_directories(folder, problem)) ::chmod(folder.c_str(), 0700);
  if (problem || !std::filesystem::is_directory(folder))
    return fail(error_code::configuration_error,
                "The data folder '" + folder + "' cannot be made: " + (problem ? problem.message() : "it is a file") +
                    ". Choose another one with --data-dir or TOBIT_DATA_DIR.");
  return {};
}

/// The file `ready` appears whole or not at all, because scripts wait for it.
result<void> announce(const std::string& folder, const std::string& url) {
  const auto line = "ready " + url + "\n";
  const auto path = folder + "/ready", fresh = path + ".new";
  std::ofstream file{fresh, std::ios::trunc};
  file << line;
  file.close();
  std::error_code problem;
  if (file.good()) std::filesystem::rename(fresh, path, problem);
  if (!file.good() || problem)
    return fail(error_code::storage_full, "The file '" + path + "' cannot be written; check the space on the disk.");
  std::fputs(line.c_str(), stdout);
  std::fflush(stdout);
  return {};
}

} // namespace

int serve(const config::settings& settings) {
  raise_file_limit();
  ::umask(077);     // what a node writes is for its owner only
  stop_signal stop; // before any thread starts, so that all inherit its mask
  const auto& folder = settings.text(config::setting::data_dir);
  if (auto made = prepare_folder(folder); !made) return refuse(made.error());
  std::error_code ignored;
  std::filesystem::remove(folder + "/ready", ignored);

  auto running = node::start(settings);
  if (!running) return refuse(running.error());
  if (auto told = announce(folder, (*running)->url()); !told) return refuse(told.error());
  stop.wait();
  std::filesystem::remove(folder + "/ready", ignored);
  stop.end_at_once_next_time();
  (*running)->stop();
  return exit_ok;
}

} // namespace tobit::node
