#pragma once

#include "runtime/entity/entity_logic.hpp"
#include "schemas/entity/entity_protocol.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

/// Rules, alerting and channels tried out without consequences: the same pure logic as live, in simulated time.
namespace tobit::rehearsal {

/// What a world may cost. What goes beyond ends the rehearsal with `unprocessable`.
struct world_limits {
  std::size_t entities_max = 10'000;
  std::uint64_t steps_max = 500'000'000;       ///< messages decided in all
  std::size_t steps_of_moment_max = 1'000'000; ///< at one simulated moment, so that nobody wakes himself for ever
};

/// What would have left the house.
struct outward_effect {
  entity_ref from;
  std::string effect_id; ///< the idempotency key that a receiver would see
  const entity::effect& what;
  utc_time at;
};

/// Told everything that happens in a world, in order. Calls come on the thread that drives the world.
class world_watcher {
public:
  virtual ~world_watcher() = default;
  /// A decision, before anything that follows from it.
  virtual void decided(const entity_ref& who, const message& request, const entity::decision& what, utc_time at) {
    (void)who, (void)request, (void)what, (void)at;
  }
  /// An entity refused a message, or failed on it.
  virtual void refused(const entity_ref& who, const message& request, const error& why, utc_time at) {
    (void)who, (void)request, (void)why, (void)at;
  }
  /// How an effect that leaves the world ends. The default: all goes well.
  virtual entity::effect_settled settle(const outward_effect& effect) {
    (void)effect;
    entity::effect_settled out;
    out.done = true;
    return out;
  }
};

/// A runtime in memory for entities of any kind: what the real one does with decisions, without storing or sending.
///
/// Events are applied; effects of the type "message" reach their target at the same simulated moment, in the order in
/// which they were decided; other effects go to the watcher, which says how they end. Whoever wants a report of an
/// effect gets `effect_settled`. Entities are woken when they asked for, those that are due at the same moment in the
/// order in which they were added. Nothing depends on the clock or on chance: the same calls give the same course.
///
/// Used by one thread. A message to somebody who is not there fails as it does live (`not_found`).
class world {
public:
  /// `watcher` may be null and must outlive the world.
  explicit world(utc_time start, world_watcher* watcher = nullptr, const world_limits& limits = {});
  ~world();
  world(const world&) = delete;
  world& operator=(const world&) = delete;

  /// Compiles and adds an entity, as a node does on `define_entity`. Errors: those of `compile` and `instantiate`,
  /// conflict (it is there), unprocessable (too many).
  result<entity::compiled_definition> define(const entity::entity_kind& kind, const entity_ref& ref, const json& body);

  /// Adds an entity whose definition was compiled before.
  result<void> add(const entity::entity_kind& kind, const entity_ref& ref, std::int64_t version,
                   const json& definition);

  bool has(const entity_ref& ref) const { return places_.count(ref) != 0; }
  /// For views. Null if there is none.
  const entity::entity_logic* find(const entity_ref& ref) const;

  utc_time now() const noexcept { return now_; }
  std::uint64_t steps() const noexcept { return steps_; }

  /// Says something to an entity now; everything that follows at this moment has happened when it returns. Errors:
  /// not_found, the entity's own refusal, unprocessable (a limit; the world is of no more use then).
  result<message> deliver(const entity_ref& to, const message& request);

  /// Lets time pass; entities are woken on the way. A time in the past changes nothing. Errors: unprocessable.
  result<void> advance_to(utc_time time);
  /// When somebody wants to be woken next.
  std::optional<utc_time> next_wake() const;

  /// Set once a limit was passed.
  const std::optional<error>& broken() const noexcept { return broken_; }

private:
  struct resident {
    entity_ref ref;
    std::unique_ptr<entity::entity_logic> logic;
    std::optional<utc_time> wake;
    bool failed = false; ///< it threw; it takes no further messages
  };
  /// A message on its way at this moment.
  struct letter {
    std::size_t from; ///< who wants to know how it ended
    entity_ref to;
    message request;
    bool report = false;
    std::string effect_id, type, correlation;
  };

  result<message> handle(resident& who, const message& request);
  void follow(std::size_t from, std::vector<entity::effect> effects, const std::string& decision_id);
  void post(std::size_t from, const entity::effect& what, std::string effect_id);
  result<void> drain();
  result<void> count_step();
  void note_wake(resident& who, std::size_t place);
  std::string next_decision_id();

  utc_time now_;
  world_watcher* const watcher_;
  const world_limits limits_;
  std::map<entity_ref, std::size_t> places_;
  std::vector<std::unique_ptr<resident>> residents_;
  std::set<std::pair<utc_time, std::size_t>> wakes_;
  std::deque<letter> letters_;
  std::map<tenant_id, call_context> contexts_;
  std::uint64_t decisions_ = 0, steps_ = 0;
  std::size_t steps_of_moment_ = 0;
  utc_time moment_of_steps_{};
  std::optional<error> broken_;
};

} // namespace tobit::rehearsal
