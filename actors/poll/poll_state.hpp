#pragma once

#include "schemas/entity/interest_spec.hpp"
#include "schemas/ids.hpp"
#include "schemas/time.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <unordered_map>
#include <vector>

namespace tobit::poll {

struct poll_limits {
  std::size_t concurrency = 5;                                       ///< polls under way at the same time
  std::chrono::microseconds first_within = std::chrono::seconds{10}; ///< the first poll, spread over this time
  std::chrono::microseconds grace = std::chrono::seconds{1};         ///< beyond its timeout a poll is given up
};

/// A poll to be made.
struct fetch {
  std::uint64_t id = 0;
  std::shared_ptr<const entity::poll_interest> what;
};

/// Somebody who waits for what a poll found.
struct reading_target {
  std::uint32_t subscriber = 0, revision = 0;
  entity_ref ref;
};

/// What a finished poll leads to.
struct fetch_outcome {
  std::vector<reading_target> targets;
  std::size_t busy = 0; ///< subscribers left out because they have not answered the reading before
  std::string about;    ///< source and endpoint, for people; no parameters, no headers
};

/// Who wants to be told about which metric, and when it is read next. No actor, no clock, no I/O.
///
/// Equal requests (source, endpoint, method, parameters, headers, timeout) are made once for all who want them at that
/// moment. Each subscriber's times lie on a grid of its interval, shifted by the request: equal requests coincide,
/// others are spread. Nobody gets a reading while it has not answered the one before.
class poll_state {
public:
  explicit poll_state(const poll_limits& limits) : limits_(limits) {}

  /// Takes a new or changed wish. False if this version or a newer one is known.
  bool define(const entity_ref& ref, std::int64_t version, const entity::poll_interest& what);
  bool remove(const entity_ref& ref, std::int64_t version);

  void observe(steady_time now) noexcept { now_ = now; }

  /// The next poll to be made now, if concurrency allows.
  std::optional<fetch> take();
  /// The poll has an answer. Nothing if it was given up before (then the request may be made again from now on).
  std::optional<fetch_outcome> finished(std::uint64_t fetch);
  /// Polls that did not answer in time. Their outcome goes out as a failure; the request is not made again before its
  /// answer arrives after all.
  std::vector<std::uint64_t> overdue() const;
  std::optional<fetch_outcome> give_up(std::uint64_t fetch);
  /// A subscriber dealt with its reading.
  void answered(std::uint32_t subscriber, std::uint32_t revision);

  std::optional<std::chrono::microseconds> until_next() const;

  std::size_t subscribers() const noexcept { return by_ref_.size(); }
  std::size_t requests() const noexcept { return by_key_.size(); }
  std::size_t under_way() const noexcept { return running_.size(); }

private:
  struct subscriber {
    entity_ref ref;
    std::int64_t version = 0;
    std::uint32_t group = 0, revision = 0;
    std::chrono::microseconds interval{0};
    bool live = false, busy = false, waiting = false;
  };
  struct group {
    std::string key;
    std::shared_ptr<const entity::poll_interest> what;
    std::uint64_t hash = 0;
    std::vector<std::uint32_t> waiting; ///< subscribers that want the next answer
    std::uint32_t members = 0;
    bool queued = false, in_flight = false;
  };
  struct due_entry {
    steady_time at;
    std::uint32_t subscriber, revision;
    bool operator<(const due_entry& other) const noexcept { return at > other.at; }
  };
  struct running_fetch {
    std::uint32_t group = 0;
    steady_time deadline{};
  };

  std::uint32_t join(const entity::poll_interest& what);
  void leave(std::uint32_t group);
  void drop_if_unused(std::uint32_t group);
  void queue_due();
  steady_time next_time(const subscriber& s) const;
  fetch_outcome collect(std::uint32_t group);

  const poll_limits limits_;
  steady_time now_{};
  std::deque<subscriber> subscribers_;
  std::vector<std::uint32_t> free_subscribers_;
  std::unordered_map<entity_ref, std::uint32_t> by_ref_;
  std::unordered_map<std::uint64_t, std::int64_t> removed_; ///< versions of removed subscribers, by hash; bounded
  std::deque<group> groups_;
  std::vector<std::uint32_t> free_groups_;
  std::unordered_map<std::string, std::uint32_t> by_key_;
  std::priority_queue<due_entry> due_;
  std::deque<std::uint32_t> queue_; ///< groups to be polled, each at most once
  std::map<std::uint64_t, running_fetch> running_;
  std::unordered_map<std::uint64_t, std::uint32_t> given_up_; ///< fetches whose answer may still come
  std::uint64_t last_fetch_ = 0;
};

} // namespace tobit::poll
