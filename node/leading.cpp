#include "node/leading.hpp"

#include "schemas/rule/rule_protocol.hpp"

#include <algorithm>
#include <utility>

namespace tobit::node {

namespace {

using namespace std::chrono_literals;

constexpr auto try_again = 100ms;

storage::statement wanted_rows() {
  return {"SELECT source, kind, tenant, entity_key, version, spec FROM interest", {}};
}
/// What nobody wants any more is told by the version of the entity.
storage::statement unwanted_rows() {
  return {"SELECT s.source, e.kind, e.tenant, e.entity_key, e.version FROM entity e"
          " CROSS JOIN (SELECT 'event' AS source UNION ALL SELECT 'schedule' UNION ALL SELECT 'poll') s"
          " WHERE NOT EXISTS (SELECT 1 FROM interest i WHERE i.kind = e.kind AND i.tenant = e.tenant"
          " AND i.entity_key = e.entity_key AND i.source = s.source)",
          {}};
}

entity_ref ref_of(const std::vector<storage::value>& row) {
  return {storage::as_text(row[1]), tenant_id{storage::as_text(row[2])}, storage::as_text(row[3])};
}

} // namespace

leading::leading(leading_deps deps) : deps_(std::move(deps)), thread_([this] { run(); }) {}

leading::~leading() {
  finish(0ms);
  thread_.join();
}

result<void> leading::start_and_wait() { return begin(std::nullopt); }

void leading::start(right by) {
  wanted_epoch_ = by.epoch;
  later([this, by = std::move(by)] { begin_until_done(by); });
}

void leading::begin_until_done(const right& by) {
  while (wanted_epoch_ == by.epoch) {
    auto begun = begin(by);
    if (begun) return;
    deps_.log->warning("leading.start_failed", {}, {{"epoch", by.epoch}, {"error", begun.error()}});
    end(0ms);
    std::unique_lock lock{guard_};
    something_to_do_.wait_for(lock, try_again, [&] { return wanted_epoch_ != by.epoch; });
  }
}

void leading::stop(std::int64_t epoch) {
  auto expected = epoch;
  wanted_epoch_.compare_exchange_strong(expected, 0);
  something_to_do_.notify_all();
  later([this, epoch] {
    const bool mine = [&] {
      std::lock_guard lock{guard_};
      return now_.epoch == epoch;
    }();
    if (mine) end(deps_.stop_patience);
  });
}

void leading::finish(std::chrono::milliseconds patience) {
  wanted_epoch_ = 0;
  {
    std::lock_guard lock{guard_};
    if (finished_) return;
    to_do_.push_back([this, patience] { end(patience); });
    finished_ = true;
  }
  something_to_do_.notify_all();
  std::unique_lock lock{guard_};
  something_to_do_.wait(lock, [&] { return to_do_.empty(); });
}

void leading::later(std::function<void()> what) {
  {
    std::lock_guard lock{guard_};
    if (finished_) return;
    to_do_.push_back(std::move(what));
  }
  something_to_do_.notify_all();
}

void leading::run() {
  std::unique_lock lock{guard_};
  while (true) {
    something_to_do_.wait(lock, [&] { return !to_do_.empty() || finished_; });
    if (to_do_.empty()) return;
    auto next = to_do_.front(); // stays in the queue until it is done: `finish` waits for the queue to be empty
    lock.unlock();
    next();
    lock.lock();
    to_do_.pop_front();
    something_to_do_.notify_all();
  }
}

result<void> leading::begin(const std::optional<right>& by) {
  work next;
  next.epoch = by ? by->epoch : 0;
  const auto fence = by ? std::optional(by->fence) : std::nullopt;
  std::function<void()> fenced;
  if (by && refused_) fenced = [this, epoch = by->epoch] { refused_(epoch); };

  next.events =
      event::make_event_log({deps_.actors, deps_.store, deps_.time, deps_.figures, fence, fenced}, deps_.events);
  next.ledger = schedule::make_tick_ledger({*deps_.actors, *deps_.store, *entities_, *deps_.time, *deps_.figures,
                                            [](const entity_ref&, utc_time due, std::int64_t missed) {
                                              return message::of(rule::run_tick{to_micros(due), missed});
                                            },
                                            fence, fenced});
  const auto make_reading = [](const std::string&, const poll::reading& found) {
    return message::of(rule::evaluate_metric{found.document ? *found.document : json(nullptr), found.error,
                                             to_micros(found.observed_at)});
  };
  next.polls = poll::make_poll_loop(
      {*deps_.actors, *deps_.store, *entities_, *deps_.time, *deps_.figures, sources_, make_reading}, deps_.polling);
  // First they listen, then they read: what changes in between is heard twice, and versions tell.
  events_slot_.fill({next.events, &next.events->interests()});
  ledger_slot_.fill(next.ledger);
  poll_slot_.fill(next.polls);
  {
    std::lock_guard lock{guard_};
    now_ = next;
  }
  if (auto started = next.events->start(*entities_); !started) return started;
  if (deps_.schedules) next.ledger->start();
  if (deps_.polls) next.polls->start();
  return {};
}

void leading::end(std::chrono::milliseconds patience) {
  work old;
  {
    std::lock_guard lock{guard_};
    old = std::exchange(now_, {});
  }
  for (auto* slot : {&events_slot_, &ledger_slot_, &poll_slot_}) slot->fill(nullptr);
  if (!old.events) return;
  const auto until = std::chrono::steady_clock::now() + patience;
  const auto left = [&] {
    return std::max<std::chrono::milliseconds>(
        std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now()), 0ms);
  };
  old.polls->stop();
  old.ledger->stop(left());
  old.events->stop(left());
}

void leading::read_interests() {
  later([this] {
    if (!active()) return;
    const auto rows = deps_.store->read_and_wait(wanted_rows(), 30s);
    const auto gone = deps_.store->read_and_wait(unwanted_rows(), 30s);
    if (!rows || !gone) {
      deps_.log->warning("leading.interests_unread", {}, {{"error", !rows ? rows.error() : gone.error()}});
      return;
    }
    for (const auto& row : rows->values) {
      auto spec = parse_json(storage::as_text(row[5]));
      if (auto* to = slot(storage::as_text(row[0])); to && spec)
        to->interest_changed(ref_of(row), storage::as_int(row[4]), std::move(*spec));
    }
    for (const auto& row : gone->values)
      if (auto* to = slot(storage::as_text(row[0])))
        to->interest_changed(ref_of(row), storage::as_int(row[4]), std::nullopt);
  });
}

interest_slot* leading::slot(std::string_view source) {
  for (auto* one : {&events_slot_, &ledger_slot_, &poll_slot_})
    if (one->source() == source) return one;
  return nullptr;
}

std::shared_ptr<event::event_log> leading::events() const {
  std::lock_guard lock{guard_};
  return now_.events;
}

bool leading::inspect_polling(std::function<void(json)> done) const {
  std::shared_ptr<poll::poll_loop> polls;
  {
    std::lock_guard lock{guard_};
    polls = now_.polls;
  }
  if (polls) polls->inspect(std::move(done));
  return polls != nullptr;
}

bool leading::active() const {
  std::lock_guard lock{guard_};
  return now_.events != nullptr;
}

void leading_intake::ingest(event::ingest_request request, std::function<void(result<event::ingest_report>)> done) {
  const auto log = lead_->events();
  if (!log) return done(fail(error_code::unavailable));
  log->intake().ingest(std::move(request),
                       [log, done = std::move(done)](result<event::ingest_report> got) { done(std::move(got)); });
}

} // namespace tobit::node
