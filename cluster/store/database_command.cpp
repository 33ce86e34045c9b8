#include "cluster/store/database_command.hpp"

namespace tobit::cluster {

std::string_view to_string(refusal r) noexcept {
  switch (r) {
  case refusal::none:
    return "none";
  case refusal::wrong_cluster:
    return "wrong_cluster";
  case refusal::settings_differ:
    return "settings_differ";
  case refusal::protocol_incompatible:
    return "protocol_incompatible";
  case refusal::name_in_use:
    return "name_in_use";
  case refusal::node_dead:
    return "node_dead";
  case refusal::node_alive:
    return "node_alive";
  case refusal::lock_busy:
    return "lock_busy";
  case refusal::leader_alive:
    return "leader_alive";
  case refusal::leader_changed:
    return "leader_changed";
  case refusal::not_leader:
    return "not_leader";
  case refusal::not_owner:
    return "not_owner";
  }
  return "unknown";
}

namespace {

struct command_name {
  std::string_view operator()(const register_node&) const { return "register_node"; }
  std::string_view operator()(const resume_node&) const { return "resume_node"; }
  std::string_view operator()(const renew_lease&) const { return "renew_lease"; }
  std::string_view operator()(const read_cluster&) const { return "read_cluster"; }
  std::string_view operator()(const claim_leadership&) const { return "claim_leadership"; }
  std::string_view operator()(const resign_leadership&) const { return "resign_leadership"; }
  std::string_view operator()(const bury_node&) const { return "bury_node"; }
  std::string_view operator()(const assign_shards&) const { return "assign_shards"; }
  std::string_view operator()(const plan_moves&) const { return "plan_moves"; }
  std::string_view operator()(const hand_over_shard&) const { return "hand_over_shard"; }
  std::string_view operator()(const start_drain&) const { return "start_drain"; }
  std::string_view operator()(const leave_cluster&) const { return "leave_cluster"; }
};

} // namespace

std::string_view name_of(const database_command& c) noexcept { return std::visit(command_name{}, c); }

} // namespace tobit::cluster
