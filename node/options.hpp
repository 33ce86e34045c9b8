#pragma once

#include "actors/event/event_log.hpp"
#include "actors/folder/definition_folder.hpp"
#include "actors/notify/channel/channel_options.hpp"
#include "actors/poll/poll_loop.hpp"
#include "cluster/cluster_times.hpp"
#include "cluster/store/database_command.hpp"
#include "cluster/transport/peer_links.hpp"
#include "config/settings.hpp"
#include "http/edge.hpp"
#include "http/server/server.hpp"
#include "runtime/entity/entity_options.hpp"
#include "runtime/outbound/http_client.hpp"
#include "runtime/storage/database.hpp"
#include "runtime/telemetry/log.hpp"
#include "runtime/telemetry/span_recorder.hpp"

/// From the table of settings to the options of each room. The only place that knows both.
namespace tobit::node {

telemetry::log_options log_options(const config::settings& from);
telemetry::rotation log_rotation(const config::settings& from);
/// In a cluster its sessions forget clients that went silent.
storage::database_options database_options(const config::settings& from);
/// What `storage::open_database` takes: the configured URL, or the SQLite file in the data folder.
std::string database_url(const config::settings& from);
outbound::http_client_options outbound_options(const config::settings& from);
notify::channel_options channel_options(const config::settings& from);
telemetry::span_options span_options(const config::settings& from);
entity::entity_options entity_options(const config::settings& from);
event::event_log_options event_log_options(const config::settings& from);
poll::poll_loop_options poll_options(const config::settings& from);
/// Without a path there is no folder.
folder::definition_folder_options folder_options(const config::settings& from);
/// Errors: configuration_error (the address is not host:port with a numeric host).
result<http::server_options> server_options(const config::settings& from);
http::edge_options edge_options(const config::settings& from, const std::string& bound_address);

/// Whether this node belongs to a cluster.
bool clustered(const config::settings& from);
struct cluster_options {
  cluster::node_profile profile; ///< an empty address: what the links are bound to, `peer_links::address`
  cluster::cluster_times times;
  cluster::link_options links;
};
/// For settings with which `clustered` holds and that `config::load` has checked.
cluster_options cluster_options_of(const config::settings& from);
/// What must be equal on every node, as readable text: a join compares it.
std::string shared_settings_digest(const config::settings& from);

} // namespace tobit::node
