#pragma once

#include "node/cli/surroundings.hpp"
#include "schemas/json.hpp"

#include <functional>
#include <sstream>
#include <string>
#include <vector>

/// A command line whose node is a function and whose streams are strings.
struct fake_shell {
  using handler = std::function<tobit::result<tobit::outbound::http_response>(const tobit::outbound::http_request&)>;

  fake_shell();
  ~fake_shell();

  /// Runs `tobit arguments…`; `out` and `err` then hold what was printed by this run.
  int run(const std::vector<std::string>& arguments, const std::string& input = {});

  handler node;                                        ///< answers requests
  std::vector<tobit::outbound::http_request> requests; ///< what was sent so far
  std::vector<std::string> allowed;                    ///< addresses that the client was allowed to reach
  std::vector<std::pair<std::string, std::string>> environment;
  std::vector<tobit::config::settings> served;
  std::string password; ///< what a person types; empty: nobody is there
  bool input_is_terminal = false;
  bool input_pauses = false;
  std::string out, err;
  std::string home; ///< TOBIT_HOME, a temporary folder
};

/// An answer with the envelope of success.
tobit::outbound::http_response success(tobit::json data, tobit::json metadata = nullptr);
/// An answer with the envelope of a refusal.
tobit::outbound::http_response refusal(int status, const std::string& name, const std::string& message,
                                       const std::string& pointer = {});
/// The value of a header that was sent, or empty.
std::string sent_header(const tobit::outbound::http_request& request, const std::string& name);
/// The JSON of a text; valid until the next call, so that a check may hold references into it.
const tobit::json& parsed(const std::string& text);
