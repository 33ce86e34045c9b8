#pragma once

#include <chrono>
#include <cstddef>

namespace tobit::cluster {

/// Times and bounds of the protocol. The same on every node of a cluster: they are part of what a join compares.
struct cluster_times {
  using ms = std::chrono::milliseconds;
  ms lease{3'000};                 ///< by the database's clock; a frozen or cut-off node is taken over after it
  ms margin{500};                  ///< a node stops acting this long before its lease ends, for drift and slow stops
  ms renew_interval{1'000};        ///< two failed renewals are survived
  ms command_timeout{900};         ///< a database command without an answer counts as "outcome unknown" then
  ms retry{100};                   ///< after a failed database command
  ms rejoin{200};                  ///< after fencing itself
  ms probe_first{5};               ///< trying the liveness lock of a node whose connection broke; doubles each time …
  ms probe_most{500};              ///< … up to this
  ms link_grace{1'500};            ///< a peer that was never connected counts as down after this
  ms hand_over{3'000};             ///< a move that takes longer is made by force
  ms drain{20'000};                ///< a draining node leaves after this, moved or not
  ms leave{3'000};                 ///< stopping what is left of it
  ms park{5'000};                  ///< a request waits this long for its shard, or until its deadline
  ms park_retry{20};               ///< asking again after a node said that a shard is not there
  std::size_t parked_max = 10'000; ///< requests waiting for shards; beyond it: overloaded
  std::size_t moves_at_once = 32;  ///< shards under way between nodes
  std::size_t assign_at_once = 256; ///< rows changed by one transaction of the leader
};

} // namespace tobit::cluster
