#include "runtime/entity/wake_queue.hpp"

#include "runtime/entity/restart_policy.hpp"
#include "schemas/entity/entity_protocol.hpp"

#include <algorithm>

namespace tobit::entity {

namespace {

/// How long a wake may wait for an entity that is being restarted or has much to do.
constexpr std::chrono::seconds patience{60};
constexpr std::chrono::milliseconds again_first{1'000}, again_most{60'000};
/// The longest sleep: somebody may set the machine's calendar, or wake it from a sleep of its own.
constexpr std::chrono::seconds sleep_most{5};
constexpr std::chrono::milliseconds while_under_way{100};

} // namespace

storage::statement wakes_query(const std::string& owner, std::size_t limit) {
  // The plus keeps the database from going through the index on shards, which reads every entity and sorts them.
  return {"SELECT kind, tenant, entity_key, wake_at FROM entity WHERE wake_at IS NOT NULL AND enabled = 1"
          " AND deleted_at IS NULL AND quarantined_at IS NULL AND +shard IN (SELECT id FROM shard WHERE owner = $1)"
          " ORDER BY wake_at LIMIT $2",
          {owner, static_cast<std::int64_t>(limit)}};
}

wake_queue::wake_queue(entity_deps_ptr deps, std::shared_ptr<entity_gateway> entities, std::string owner,
                       fence_lookup rights, inbox<wake_queue>& in)
    : deps_(std::move(deps))
    , entities_(std::move(entities))
    , owner_(std::move(owner))
    , rights_(std::move(rights))
    , inbox_(in)
    , schedule_(deps_->options.wake.memory_max) {}

void wake_queue::start() {
  read();
  look_again();
}

void wake_queue::stop(std::shared_ptr<void> until_stopped) {
  stopped_ = true;
  until_stopped_ = std::move(until_stopped);
}

void wake_queue::note(const entity_ref& ref, utc_time at) {
  if (stopped_) return;
  // The wake that is on its way to the entity stands for every time that has come.
  if (at <= deps_->time->now() && under_way_.count(ref) != 0) return;
  if (reading_)
    schedule_.keep(ref, at);
  else
    schedule_.note(ref, at);
  fire();
}

void wake_queue::read() {
  read_again_ = reading_;
  if (reading_ || stopped_) return;
  reading_ = true;
  // What is held or on its way is found again; so many more must be read to see new ones.
  const auto limit = schedule_.size() + under_way_.size() + deps_->options.wake.memory_max;
  deps_->db->read(wakes_query(owner_, limit), [send = inbox_.remote(), limit](result<storage::rows> rows) {
    send([limit, rows = std::move(rows)](wake_queue& self) { self.was_read(rows, limit); });
  });
}

void wake_queue::was_read(const result<storage::rows>& rows, std::size_t limit) {
  reading_ = false;
  if (stopped_) return;
  if (!rows) return arm(); // the regular look comes soon enough
  const auto now = deps_->time->now();
  for (const auto& row : rows->values) {
    const entity_ref ref{storage::as_text(row[0]), tenant_id{storage::as_text(row[1])}, storage::as_text(row[2])};
    const auto at = from_micros(storage::as_int(row[3]));
    if (under_way_.count(ref) != 0 && at <= now) continue;
    if (failures_.count(ref) == 0) schedule_.found(ref, at); // those that failed wait for their turn
  }
  const bool full = rows->size() >= limit;
  schedule_.read_until(full ? std::optional(from_micros(storage::as_int(rows->values.back()[3]))) : std::nullopt);
  fire();
  if (read_again_) read();
}

void wake_queue::fire() {
  const auto now = deps_->time->now();
  while (!stopped_ && under_way_.size() < deps_->options.wake.concurrency_max) {
    const auto ref = schedule_.take_due(now);
    if (!ref) break;
    if (under_way_.count(*ref) != 0)
      schedule_.keep(*ref, now + while_under_way);
    else if (rights_(*ref))
      send(*ref);
    else // the shard is coming or going
      try_later(*ref);
  }
  if (schedule_.wants_reading() && !reading_) read();
  arm();
}

void wake_queue::send(const entity_ref& ref) {
  under_way_.insert(ref);
  const auto context = new_call(system_identity(ref.tenant), deps_->time->steady_now() + patience);
  entities_->ask(ref, context, message::of(wake_entity{}), [tell = inbox_.remote(), ref](const result<message>& reply) {
    const auto problem = reply ? std::nullopt : std::optional(reply.error().code);
    tell([ref, problem](wake_queue& self) { self.answered(ref, problem); });
  });
}

void wake_queue::answered(const entity_ref& ref, std::optional<error_code> problem) {
  under_way_.erase(ref);
  if (deps_->figures)
    deps_->figures->count(telemetry::metric::entity_wakes,
                          {ref.kind, problem ? describe(*problem).name : std::string_view{"ok"}});
  // What crashed tells its time again once it is restarted; others are found by the regular look.
  if (!problem || !describe(*problem).retryable)
    failures_.erase(ref);
  else
    try_later(ref);
  fire();
}

void wake_queue::try_later(const entity_ref& ref) {
  if (failures_.size() >= deps_->options.wake.memory_max) return; // the regular look finds it
  const auto pause = backed_off(++failures_[ref], again_first, again_most, 0.2, deps_->random());
  schedule_.keep(ref, deps_->time->now() + pause);
}

void wake_queue::arm() {
  if (stopped_) return;
  const auto next = schedule_.next();
  if (!next || under_way_.size() >= deps_->options.wake.concurrency_max) return; // an answer, or the regular look
  if (armed_for_ && *armed_for_ <= *next) return;
  armed_for_ = *next;
  const auto current = ++armed_;
  const auto now = deps_->time->now();
  const auto pause = std::clamp<std::chrono::microseconds>(*next - now, std::chrono::microseconds{0}, sleep_most);
  inbox_.after(pause, [current](wake_queue& self) {
    if (self.armed_ != current || self.stopped_) return;
    self.armed_for_.reset();
    self.fire();
  });
}

void wake_queue::look_again() {
  inbox_.after(deps_->options.wake.look_every, [](wake_queue& self) {
    if (self.stopped_) return;
    self.failures_.clear();
    self.read();
    self.look_again();
  });
}

} // namespace tobit::entity
