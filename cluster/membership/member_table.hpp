#pragma once

#include "cluster/cluster_step.hpp"
#include "cluster/cluster_times.hpp"

#include <map>
#include <optional>
#include <vector>

namespace tobit::cluster {

/// The members as last read, and what this node sees of its connections to them. A broken connection is a hint to ask
/// the database, never a verdict.
class member_table {
public:
  struct member {
    member_row row;
    enum class link { connecting, up, down } linked = link::connecting;
    steady_time link_since{};
    steady_time lease_ends{}; ///< when to look again; the database alone says whether it has run out
  };

  explicit member_table(const cluster_times& times) : times_(times) {}

  /// Takes a look into the database unless a newer one was taken. Connects to new members, disconnects from gone ones.
  void take(const cluster_view& view, incarnation_no self, cluster_step& step);
  void linked(incarnation_no peer, bool up, cluster_step& step);
  void disconnect_all(cluster_step& step);
  void wake(std::optional<steady_time>& earliest, steady_time now) const;

  cluster_version version() const noexcept { return version_; }
  const std::map<incarnation_no, member>& all() const noexcept { return members_; }
  const member* find(incarnation_no id) const;
  bool reachable(incarnation_no id) const;
  /// The connection is broken, or could not be made within the grace.
  bool cut_off(const member& m, steady_time now) const;
  /// Every other member was once known and is gone now, or never existed.
  bool gone(incarnation_no id) const { return id <= newest_ && !members_.contains(id); }
  bool look_due(steady_time now) const;

private:
  const cluster_times& times_;
  std::map<incarnation_no, member> members_;
  std::map<incarnation_no, bool> links_; ///< also of peers that are not known as members yet
  cluster_version version_ = 0;
  incarnation_no newest_ = 0;
};

} // namespace tobit::cluster
