#include "node/cli/node_address.hpp"

#include "config/formats.hpp"

#include <fstream>

namespace tobit::cli {

namespace {

/// What stands in the first line of the file `ready`: `ready http://host:port`.
std::string ready_url(const std::string& data_dir) {
  std::ifstream in(data_dir + "/ready");
  std::string word, url;
  in >> word >> url;
  return word == "ready" ? url : std::string{};
}

} // namespace

std::optional<node_address> parse_node_address(std::string_view text) {
  std::string_view scheme = "http://";
  for (std::string_view known : {"http://", "https://"})
    if (text.substr(0, known.size()) == known) {
      scheme = known;
      text.remove_prefix(known.size());
      break;
    }
  while (!text.empty() && text.back() == '/') text.remove_suffix(1);
  if (text.empty() || text.find_first_of("/?#@ \t\r\n") != std::string_view::npos) return std::nullopt;
  std::string authority(text);
  const auto closing = authority.rfind(']');
  const auto colon = authority.find(':', closing == std::string::npos ? 0 : closing);
  if (colon == std::string::npos) authority += scheme == "https://" ? ":443" : ":80";
  const auto parsed = config::parse_host_port(authority);
  if (!parsed || parsed->port == 0) return std::nullopt;
  return node_address{std::string(scheme) + std::string(text), authority};
}

std::string chosen_node_url(const surroundings& around, const std::string& wanted) {
  if (!wanted.empty()) return wanted;
  if (auto named = around.variable("TOBIT_URL"); !named.empty()) return named;
  auto data_dir = around.variable("TOBIT_DATA_DIR");
  if (auto ready = ready_url(data_dir.empty() ? "./data" : data_dir); !ready.empty()) return ready;
  return "http://" + std::string(config::describe(config::setting::http_address).initial);
}

} // namespace tobit::cli
