#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace tobit::entity {

/// When a crashed entity comes back, and when it is set aside.
struct restart_options {
  std::chrono::milliseconds pause_first{100};  ///< before the first restart; doubles with each further one
  std::chrono::milliseconds pause_max{30'000}; ///< longest pause
  double jitter = 0.2;                         ///< a pause is shortened or lengthened by up to this share
  std::size_t restarts_max = 5;                ///< more crashes than this within `window`: quarantine
  std::chrono::seconds window{300};
};

/// How effects are carried out.
struct outbox_options {
  std::size_t concurrency_max = 512;             ///< attempts under way at once
  std::size_t concurrency_per_source_max = 64;   ///< of one entity: a receiver that hangs must not hold up the others
  std::size_t memory_max = 10'000;               ///< effects held in memory; what is beyond waits as rows
  std::size_t memory_per_source_max = 1'000;     ///< the same of one entity
  std::chrono::milliseconds pause_first{1'000};  ///< before the second attempt; doubles with each further one
  std::chrono::milliseconds pause_max{300'000};  ///< longest pause
  double jitter = 0.1;                           ///< a pause is shortened or lengthened by up to this share
  std::chrono::milliseconds direct_grace{5'000}; ///< a fresh row belongs to the node that wrote it for so long
  std::chrono::milliseconds scan_every{5'000};   ///< look for due rows at least this often
  std::chrono::hours retention{24};              ///< settled rows are removed after this time
  int report_attempts_max = 12;                  ///< to tell an entity how its effect ended; then it is given up
};

/// How entities are woken by time.
struct wake_options {
  std::size_t memory_max = 10'000;         ///< nearest times held in memory; later ones are only rows
  std::size_t concurrency_max = 256;       ///< wakes under way at once
  std::chrono::milliseconds pause_min{20}; ///< between two wakes of an entity that wants the next one at once
  std::chrono::seconds look_every{60};     ///< look at the rows for what was missed at least this often
};

/// Limits and times of the entities of one node. Everything is bounded; defaults suit two cores and 10⁵ definitions.
struct entity_options {
  std::size_t mailbox_max = 1'000;               ///< unanswered messages per entity; beyond it: overloaded
  std::size_t residents_max = 2'000;             ///< entities of one shard in memory; beyond it: overloaded
  std::size_t activations_max = 16;              ///< entities of one shard that load at the same time; others wait
  std::chrono::milliseconds idle_after{300'000}; ///< without messages for this long: snapshot, leave memory
  std::chrono::milliseconds sweep_every{5'000};  ///< how often a shard looks for idle entities
  std::chrono::milliseconds expiry_every{100};   ///< how often waiting messages are checked for their deadlines
  std::size_t snapshot_every = 100;              ///< journal events between two snapshots of an active entity
  std::size_t definition_bytes_max = 256 * 1024; ///< largest definition as compact JSON
  std::size_t crash_body_bytes_max = 4 * 1024;   ///< how much of a deadly message is kept
  std::size_t summary_bytes_max = 500;           ///< longest summary of a change and reason of a control action
  restart_options restart;
  outbox_options outbox;
  wake_options wake;
};

} // namespace tobit::entity
