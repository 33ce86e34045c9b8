#include "config/load.hpp"

#include <functional>
#include <utility>

namespace tobit::config {

namespace {

using adder = std::function<void(setting, std::string)>;

void check_single(const settings& s, const adder& add) {
  if (s.text(setting::http_tls_certificate).empty() != s.text(setting::http_tls_key).empty()) {
    const bool key_missing = s.text(setting::http_tls_key).empty();
    add(key_missing ? setting::http_tls_certificate : setting::http_tls_key,
        std::string("HTTPS needs both files; also set ") + (key_missing ? "http.tls_key." : "http.tls_certificate."));
  }
  if (s.duration(setting::auth_refresh_token_lifetime) < s.duration(setting::auth_access_token_lifetime))
    add(setting::auth_refresh_token_lifetime, "is shorter than auth.access_token_lifetime; make it longer.");
  if (s.size(setting::events_event_max) > s.size(setting::events_body_max))
    add(setting::events_event_max, "is larger than events.body_max, the limit of the whole request; make it smaller.");
  if (s.size(setting::http_uri_max) > s.size(setting::http_head_max))
    add(setting::http_uri_max, "is larger than http.head_max, which includes it; make it smaller.");
}

bool loopback(const std::string& host) { return host == "localhost" || host == "::1" || host.starts_with("127."); }

/// Who may connect, and how nodes prove themselves.
void check_links(const settings& s, const adder& add) {
  const auto listen = parse_host_port(s.text(setting::cluster_listen)).value_or(host_port{});
  if ((listen.host == "0.0.0.0" || listen.host == "::") && s.text(setting::cluster_advertise).empty())
    add(setting::cluster_listen,
        "means every address of this machine; also set cluster.advertise, which the other nodes dial.");
  if (s.boolean(setting::cluster_plain)) {
    if (!loopback(listen.host))
      add(setting::cluster_plain, "is for nodes on one machine: let cluster.listen be a loopback address, or use the "
                                  "certificates that `tobit cluster init` makes.");
    return;
  }
  for (auto file : {setting::cluster_authority, setting::cluster_certificate, setting::cluster_key})
    if (s.text(file).empty())
      add(file, "is missing; `tobit cluster init` makes the files and a configuration that names them.");
}

/// A node must notice in time that it can no longer renew: one renewal may be lost.
void check_times(const settings& s, const adder& add) {
  const auto needed = s.duration(setting::cluster_margin) + s.duration(setting::cluster_renew_interval) +
                      s.duration(setting::cluster_command_timeout);
  if (needed >= s.duration(setting::cluster_lease))
    add(setting::cluster_lease, "must be longer than cluster.margin, cluster.renew_interval and "
                                "cluster.command_timeout together (" +
                                    format_duration(needed) + ").");
}

void check_cluster(const settings& s, const adder& add) {
  if (s.text(setting::cluster_listen).empty()) return;
  if (!s.text(setting::database_url).starts_with("postgres"))
    add(setting::cluster_listen, "needs PostgreSQL, because the nodes of a cluster share one store: set database.url. "
                                 "`tobit cluster init` prepares it; `tobit promote` moves an SQLite store there.");
  if (s.text(setting::cluster_id).empty())
    add(setting::cluster_id, "is missing; it is in the configuration that `tobit cluster init` made.");
  if (s.source_of(setting::node_id) == source::initial)
    add(setting::node_id, "is missing; every node of a cluster needs a name of its own.");
  check_links(s, add);
  check_times(s, add);
}

} // namespace

std::vector<problem> contradictions(const settings& s) {
  std::vector<problem> problems;
  const adder add = [&](setting id, std::string message) {
    problems.push_back({s.origin(id), std::string(describe(id).key), std::move(message)});
  };
  check_single(s, add);
  check_cluster(s, add);
  return problems;
}

} // namespace tobit::config
