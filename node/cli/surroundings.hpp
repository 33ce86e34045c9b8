#pragma once

#include "config/settings.hpp"
#include "runtime/outbound/http_client.hpp"
#include "schemas/error.hpp"

#include <cstddef>
#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The program `tobit` as people and scripts type it.
namespace tobit::cli {

/// What the program ends with.
enum exit_code : int {
  ok = 0,
  refused = 1,     ///< the node said no, at least once
  usage = 2,       ///< wrong arguments, an unreadable file, a wrong configuration
  unreachable = 3, ///< no answer from the node
};

/// Everything outside that the command line touches, so that tests can stand in for it.
struct surroundings {
  std::istream* in = nullptr;
  std::ostream* out = nullptr; ///< results
  std::ostream* err = nullptr; ///< messages and progress
  bool in_is_terminal = false, out_is_terminal = false, err_is_terminal = false;
  std::size_t columns = 100; ///< width of the terminal
  std::vector<std::pair<std::string, std::string>> environment;

  /// Whether reading on from `in` would wait for somebody; null: never.
  std::function<bool()> input_pauses;

  /// Runs a node until it is told to stop.
  std::function<int(const config::settings&)> serve;
  /// Opens a client that may reach the given address.
  std::function<result<std::unique_ptr<outbound::http_client>>(const outbound::http_client_options&)> make_client;
  /// Asks a person for a password without showing it; nothing if there is nobody to ask.
  std::function<std::optional<std::string>(std::string_view prompt)> ask_password;

  /// The value of a variable, or empty.
  std::string variable(std::string_view name) const;
};

/// The real ones: standard streams, terminal, environment, libcurl.
surroundings process_surroundings(std::function<int(const config::settings&)> serve);

/// Runs the program with `arguments` (without its own name) and returns its exit code. Never throws.
int run(const std::vector<std::string>& arguments, const surroundings& around) noexcept;

} // namespace tobit::cli
