#include "node/options.hpp"

#include <charconv>
#include <filesystem>

namespace tobit::node {

using config::setting;

telemetry::rotation log_rotation(const config::settings& from) {
  telemetry::rotation rotate;
  rotate.bytes_max =
      from.boolean(setting::log_enable_file_rotation) ? from.count(setting::log_max_file_size_mb) << 20 : 0;
  rotate.files = from.count(setting::log_max_files);
  return rotate;
}

telemetry::log_options log_options(const config::settings& from) {
  telemetry::log_options to;
  to.level = telemetry::parse_log_level(from.text(setting::log_level)).value_or(telemetry::log_level::info);
  to.json = from.boolean(setting::log_enable_json_format);
  to.console = from.boolean(setting::log_console_output);
  to.file = from.in_data_dir(from.text(setting::log_file));
  to.rotate = log_rotation(from);
  return to;
}

storage::database_options database_options(const config::settings& from) {
  storage::database_options to;
  to.write_queue_max = from.count(setting::database_write_queue_max);
  to.read_queue_max = from.count(setting::database_read_queue_max);
  to.group_max = from.count(setting::database_group_max);
  to.readers = from.count(setting::database_readers);
  to.writers = from.count(setting::database_writers);
  to.busy_timeout = from.duration(setting::database_busy_timeout);
  to.statement_timeout = from.duration(setting::database_statement_timeout);
  if (clustered(from)) to.forget_client_after = from.duration(setting::cluster_lease);
  return to;
}

std::string database_url(const config::settings& from) {
  const auto& url = from.text(setting::database_url);
  return url.empty() ? from.in_data_dir("tobit.db") : url;
}

outbound::http_client_options outbound_options(const config::settings& from) {
  outbound::http_client_options to;
  to.guard.allow = from.list(setting::outbound_allow);
  to.in_flight_max = from.count(setting::outbound_in_flight_max);
  to.in_flight_per_host_max = from.count(setting::outbound_in_flight_per_host_max);
  to.connections_max = from.count(setting::outbound_connections_max);
  to.connections_per_host = from.count(setting::outbound_connections_per_host);
  to.ca_file = from.in_data_dir(from.text(setting::outbound_ca_file));
  return to;
}

notify::channel_options channel_options(const config::settings& from) {
  notify::channel_options to;
  to.secrets.env_prefixes = from.list(setting::secrets_env_prefixes);
  for (const auto& folder : from.list(setting::secrets_folders))
    to.secrets.folders.push_back(std::filesystem::absolute(from.in_data_dir(folder)).lexically_normal().string());
  to.timeout = from.duration(setting::channel_timeout);
  to.mail_timeout = from.duration(setting::channel_mail_timeout);
  return to;
}

telemetry::span_options span_options(const config::settings& from) {
  telemetry::span_options to;
  to.ring_max = from.count(setting::telemetry_span_ring_max);
  to.slow = from.duration<std::chrono::microseconds>(setting::telemetry_span_slow);
  return to;
}

entity::entity_options entity_options(const config::settings& from) {
  entity::entity_options to;
  to.mailbox_max = from.count(setting::entity_mailbox_max);
  to.idle_after = from.duration(setting::entity_idle_after);
  to.restart.restarts_max = from.count(setting::entity_restarts_max);
  to.restart.window = from.duration<std::chrono::seconds>(setting::entity_restart_window);
  return to;
}

event::event_log_options event_log_options(const config::settings& from) {
  event::event_log_options to;
  to.request.events_max = from.count(setting::events_batch_max);
  to.request.event_size_max = from.size(setting::events_event_max);
  to.remembered_for = from.duration<std::chrono::hours>(setting::events_dedupe_window);
  to.routing.keep_for = from.duration<std::chrono::hours>(setting::retention_events);
  return to;
}

poll::poll_loop_options poll_options(const config::settings& from) {
  poll::poll_loop_options to;
  to.limits.concurrency = from.count(setting::cep_metric_poll_concurrency);
  to.limits.first_within = from.duration<std::chrono::microseconds>(setting::cep_metric_poll_global_interval_seconds);
  return to;
}

folder::definition_folder_options folder_options(const config::settings& from) {
  folder::definition_folder_options to;
  to.path = from.text(setting::rules_dir);
  const auto& removed = from.text(setting::rules_dir_removed);
  to.removed = removed == "delete" ? folder::removal::erase
               : removed == "keep" ? folder::removal::keep
                                   : folder::removal::disable;
  to.rescan = from.duration(setting::rules_dir_rescan);
  return to;
}

result<http::server_options> server_options(const config::settings& from) {
  const auto& address = from.text(setting::http_address);
  const auto colon = address.rfind(':');
  http::server_options to;
  const auto port = std::string_view{address}.substr(colon == std::string::npos ? address.size() : colon + 1);
  const auto parsed = std::from_chars(port.data(), port.data() + port.size(), to.port);
  if (colon == std::string::npos || parsed.ec != std::errc{} || parsed.ptr != port.data() + port.size())
    return fail(error_code::configuration_error,
                "http.address is host:port, for example 127.0.0.1:8000; it is '" + address + "'.");
  to.address = address.substr(0, colon);
  if (to.address == "localhost") to.address = "127.0.0.1";
  if (to.address.size() > 2 && to.address.front() == '[') to.address = to.address.substr(1, to.address.size() - 2);
  to.certificate_file = from.text(setting::http_tls_certificate);
  to.private_key_file = from.text(setting::http_tls_key);
  to.reactors = from.count(setting::http_reactors);
  to.workers = from.count(setting::http_workers);
  to.connections_max = from.count(setting::http_connections_max);
  to.connections_per_address_max = from.count(setting::http_connections_per_address_max);
  to.head_max = from.size(setting::http_head_max);
  to.header_count_max = from.count(setting::http_header_count_max);
  to.uri_max = from.size(setting::http_uri_max);
  to.queued_requests_max = from.count(setting::http_queued_requests_max);
  to.stream_queue_max = from.size(setting::http_stream_queue_max);
  to.response_queue_max = from.size(setting::http_response_queue_max);
  to.head_time = from.duration(setting::http_head_time);
  to.idle_time = from.duration(setting::http_idle_time);
  to.write_time = from.duration(setting::http_write_time);
  to.requests_per_connection_max = from.count(setting::http_requests_per_connection_max);
  return to;
}

http::edge_options edge_options(const config::settings& from, const std::string& bound_address) {
  http::edge_options to;
  to.instance = from.text(setting::node_id);
  to.body_max = from.size(setting::http_body_max);
  to.body_time = from.duration(setting::http_body_time);
  to.request_time = from.duration(setting::http_request_time);
  to.ingest_body_max = from.size(setting::events_body_max);
  to.rate_per_identity = static_cast<double>(from.integer(setting::http_rate_limit_per_identity));
  to.rate_per_address = static_cast<double>(from.integer(setting::http_rate_limit_per_address));
  to.rate_burst = from.duration(setting::http_rate_limit_burst);
  to.security_headers = from.boolean(setting::http_security_headers);
  to.cors_origins = from.list(setting::http_cors_origins);
  to.access_token_lifetime = from.duration<std::chrono::seconds>(setting::auth_access_token_lifetime);
  to.refresh_token_lifetime = from.duration<std::chrono::seconds>(setting::auth_refresh_token_lifetime);
  to.login_attempts_per_minute = static_cast<double>(from.integer(setting::auth_login_attempts_per_minute));
  to.metrics_public = bound_address == "::1" || bound_address.starts_with("127.");
  return to;
}

bool clustered(const config::settings& from) { return !from.text(setting::cluster_listen).empty(); }

namespace {

cluster::cluster_times cluster_times(const config::settings& from) {
  cluster::cluster_times to;
  to.lease = from.duration(setting::cluster_lease);
  to.margin = from.duration(setting::cluster_margin);
  to.renew_interval = from.duration(setting::cluster_renew_interval);
  to.command_timeout = from.duration(setting::cluster_command_timeout);
  to.hand_over = from.duration(setting::cluster_hand_over);
  to.drain = from.duration(setting::cluster_drain);
  return to;
}

/// Sockets take addresses.
std::string numeric(const std::string& address) {
  return address.starts_with("localhost:") ? "127.0.0.1" + address.substr(9) : address;
}

} // namespace

cluster_options cluster_options_of(const config::settings& from) {
  cluster_options to;
  to.profile.node = from.text(setting::node_id);
  to.profile.address = numeric(from.text(setting::cluster_advertise));
  to.profile.build = TOBIT_VERSION;
  to.profile.cluster_id = from.text(setting::cluster_id);
  to.profile.settings = shared_settings_digest(from);
  to.times = cluster_times(from);
  to.links.listen = numeric(from.text(setting::cluster_listen));
  to.links.plain = from.boolean(setting::cluster_plain);
  to.links.authority_file = from.in_data_dir(from.text(setting::cluster_authority));
  to.links.certificate_file = from.in_data_dir(from.text(setting::cluster_certificate));
  to.links.key_file = from.in_data_dir(from.text(setting::cluster_key));
  return to;
}

std::string shared_settings_digest(const config::settings& from) {
  std::string text;
  for (const auto id : {setting::cluster_lease, setting::cluster_margin, setting::cluster_renew_interval,
                        setting::cluster_command_timeout, setting::cluster_hand_over, setting::cluster_drain,
                        setting::entity_shard_count, setting::timezone, setting::events_dedupe_window,
                        setting::cep_max_firings_per_minute})
    text.append(text.empty() ? "" : " ").append(config::describe(id).key).append("=").append(from.shown(id));
  return text;
}

} // namespace tobit::node
