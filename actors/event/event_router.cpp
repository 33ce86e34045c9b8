#include "actors/event/event_router.hpp"

#include "actors/event/log_reader.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace tobit::event {

namespace {

constexpr std::chrono::seconds tick_pause{1};
constexpr std::chrono::minutes purge_pause{1};
constexpr std::chrono::milliseconds pause_after_failed_read{500};
constexpr std::size_t purge_rows = 5'000;

std::optional<entity::event_interest> read_spec(const json& spec) {
  try {
    return spec.get<entity::event_interest>();
  } catch (const json::exception& e) {
    spdlog::error("events.interest_unreadable {}", e.what());
    return {};
  }
}

/// The events of one batch as values, each built when the first subscriber wants it.
class lazy_events {
public:
  explicit lazy_events(const logged_batch& batch) : batch_(batch), built_(batch.events.lines.size()) {}

  /// Nothing if the stored line cannot be read.
  std::optional<queued_event> at(std::size_t i) {
    if (!built_[i]) {
      auto one = to_event(batch_.events.line(i));
      if (!one) return {};
      built_[i] = std::move(*one);
    }
    if (!cause_) cause_ = std::make_shared<const call_context>(decode_context(batch_.context));
    return queued_event{{batch_.first_offset + i, built_[i]}, batch_.events.lines[i].size, cause_};
  }

private:
  const logged_batch& batch_;
  std::vector<std::shared_ptr<const event>> built_;
  std::shared_ptr<const call_context> cause_;
};

bool is_for(const subscriber_feed& feed, std::uint64_t offset, utc_time received_at) {
  return feed.used && offset >= feed.from_offset && received_at >= feed.since;
}

} // namespace

event_router::event_router(router_deps deps, const router_limits& limits, inbox& own)
    : deps_(deps), limits_(limits), own_(own), tail_(limits.tail_bytes) {}

// -- start and changes ----------------------------------------------------------------------------------------------

void event_router::start(entity::entity_gateway& entities, std::uint64_t evaluated, std::uint64_t end,
                         const storage::rows& interests) {
  entities_ = &entities;
  position_ = stored_ = std::min(evaluated, end);
  end_ = std::max(end_, end);
  started_at_ = end;
  for (const auto& row : interests.values) {
    const entity_ref ref{storage::as_text(row[0]), tenant_id{storage::as_text(row[1])}, storage::as_text(row[2])};
    auto parsed = parse_json(storage::as_text(row[4]));
    const auto spec = parsed ? read_spec(*parsed) : std::nullopt;
    const auto change = index_.set(ref, storage::as_int(row[3]), spec);
    if (change && change->wanted) subscribe(*change, ref, 0, from_micros(storage::as_int(row[5])));
  }
  running_ = true;
  own_.after(tick_pause, [](event_router& self) { self.tick(); });
  advance();
}

void event_router::interest_changed(const entity_ref& ref, std::int64_t version, const std::optional<json>& spec) {
  const auto change = index_.set(ref, version, spec ? read_spec(*spec) : std::nullopt);
  if (!change) return;
  // Whatever was committed before this call came is older than the definition. Before the start the log's end is not
  // known, then the time tells.
  if (change->wanted)
    subscribe(*change, ref, end_, running_ ? utc_time::min() : deps_.time->now());
  else
    drop(change->place);
}

void event_router::subscribe(const interest_index::change& change, const entity_ref& ref, std::uint64_t from_offset,
                             utc_time since) {
  if (feeds_.size() <= change.place) feeds_.resize(change.place + 1);
  if (!change.is_new) return; // another filter from now on; what is queued is still to be seen
  auto& feed = feeds_[change.place];
  feed = {};
  feed.ref = ref;
  feed.serial = ++serial_;
  feed.used = true;
  feed.from_offset = from_offset;
  feed.since = since;
}

void event_router::drop(slot i) {
  auto& feed = feeds_[i];
  if (feed.asked > 0) --asks_;
  pop(feed, feed.queue.size());
  behind_.erase(i);
  feed = {};
  run();
}

void event_router::take(std::vector<logged_batch_ptr> batches, std::uint64_t end) {
  for (auto& batch : batches) tail_.push(std::move(batch));
  end_ = std::max(end_, end);
  advance();
}

// -- the log, once for all ------------------------------------------------------------------------------------------

void event_router::advance() {
  if (!running_) return;
  while (position_ < end_) {
    const auto batch = tail_.find(position_);
    if (!batch) {
      read_page(position_);
      break;
    }
    dispatch(*batch);
    position_ = batch->end_offset();
  }
  run();
}

void event_router::dispatch(const logged_batch& batch) {
  std::vector<std::shared_ptr<const interest_index::audience>> wanting;
  bool anybody = false;
  wanting.reserve(batch.events.pairs.size());
  for (const auto& [type, source] : batch.events.pairs) {
    wanting.push_back(index_.wanting(batch.tenant, type, source));
    anybody = anybody || !wanting.back()->empty();
  }
  if (!anybody) return;
  lazy_events events{batch};
  const json unknown;
  for (std::size_t i = 0; i < batch.events.lines.size(); ++i) {
    const auto offset = batch.first_offset + i;
    if (offset < position_) continue;
    const auto& audience = *wanting[batch.events.lines[i].pair];
    // Without data (a damaged line) everybody is asked, and everybody skips it.
    const auto read = audience.looks_into_data() ? events.at(i) : std::nullopt;
    audience.select(read ? read->event.body->data : unknown, selected_);
    for (const auto place : selected_) {
      auto& feed = feeds_[place];
      // Events of before the start carry only their time of arrival to tell them from the definition.
      if (!is_for(feed, offset, offset < started_at_ ? batch.received_at : utc_time::max()) || feed.behind_from)
        continue;
      if (!room(feed)) {
        feed.behind_from = offset;
        behind_.insert(place);
        continue;
      }
      if (auto one = events.at(i))
        push(place, std::move(*one));
      else
        ++skipped_;
    }
  }
}

void event_router::read_page(std::uint64_t from) {
  if (std::exchange(reading_, true)) return;
  read_batches(*deps_.db, from, limits_.page_rows,
               [post = own_.remote(), from](result<std::vector<logged_batch_ptr>> page) {
                 auto shared = std::make_shared<result<std::vector<logged_batch_ptr>>>(std::move(page));
                 post([shared, from](event_router& self) { self.page_read(std::move(*shared), from); });
               });
}

void event_router::page_read(result<std::vector<logged_batch_ptr>> page, std::uint64_t from) {
  if (stopping_) {
    reading_ = false;
    return finish_if_stopped();
  }
  if (!page) {
    spdlog::warn("events.log_unreadable from={} {}", from, page.error().text());
    // Stays "reading" through the pause, so that nobody asks in between.
    return own_.after(pause_after_failed_read, [](event_router& self) {
      self.reading_ = false;
      self.advance();
      self.catch_up_all();
      self.finish_if_stopped();
    });
  }
  reading_ = false;
  if (page->empty()) skip_purged(from);
  for (const auto& batch : *page) {
    for (const auto i : std::set<slot>(behind_)) {
      auto& feed = feeds_[i];
      // A purged stretch of the log is skipped.
      if (*feed.behind_from >= from && *feed.behind_from < batch->first_offset && batch == page->front())
        feed.behind_from = batch->first_offset;
      if (*feed.behind_from >= batch->first_offset && *feed.behind_from < std::min(batch->end_offset(), position_))
        scan(i, *batch);
    }
    if (batch->end_offset() <= position_) continue;
    if (batch->first_offset > position_ && batch == page->front() && from == position_) position_ = batch->first_offset;
    if (position_ < batch->first_offset) continue;
    dispatch(*batch);
    position_ = batch->end_offset();
  }
  advance();
  catch_up_all();
}

/// The log has no rows from here on: they were evaluated by all, or too old, and purged.
void event_router::skip_purged(std::uint64_t from) {
  if (position_ >= from) position_ = end_;
  for (const auto i : std::set<slot>(behind_)) {
    if (*feeds_[i].behind_from < from) continue;
    feeds_[i].behind_from.reset();
    behind_.erase(i);
  }
}

/// Fills the feed's queue from a batch that holds its `behind_from`. True if it got through to the end of the batch.
bool event_router::scan(slot i, const logged_batch& batch) {
  auto& feed = feeds_[i];
  std::vector<bool> wanted;
  for (const auto& [type, source] : batch.events.pairs) wanted.push_back(index_.wants(i, type, source));
  lazy_events events{batch};
  // Beyond the position the common way serves everybody.
  const auto end = std::min(batch.end_offset(), position_);
  for (auto offset = *feed.behind_from; offset < end; ++offset) {
    const auto k = static_cast<std::size_t>(offset - batch.first_offset);
    if (!wanted[batch.events.lines[k].pair] ||
        !is_for(feed, offset, offset < started_at_ ? batch.received_at : utc_time::max()))
      continue;
    if (!room(feed)) {
      feed.behind_from = offset;
      return false;
    }
    if (auto one = events.at(k))
      push(i, std::move(*one));
    else
      ++skipped_;
  }
  feed.behind_from = end;
  if (end >= position_) {
    feed.behind_from.reset();
    behind_.erase(i);
  }
  return true;
}

// -- one subscriber -------------------------------------------------------------------------------------------------

bool event_router::room(const subscriber_feed& feed) const {
  return feed.queue.size() < limits_.feed_events && queued_events_ < limits_.queued_events &&
         queued_bytes_ < limits_.queued_bytes;
}

void event_router::push(slot i, queued_event event) {
  ++queued_events_;
  queued_bytes_ += event.size;
  feeds_[i].queue.push_back(std::move(event));
  make_runnable(i);
}

void event_router::pop(subscriber_feed& feed, std::size_t events) {
  for (std::size_t k = 0; k < events; ++k) {
    --queued_events_;
    queued_bytes_ -= feed.queue.front().size;
    feed.queue.pop_front();
  }
}

void event_router::catch_up(slot i) {
  auto& feed = feeds_[i];
  while (!stopping_ && feed.used && feed.behind_from && room(feed) && feed.queue.size() <= limits_.feed_events / 2) {
    const auto batch = tail_.find(*feed.behind_from);
    if (!batch) {
      if (!reading_) read_for_ = i;
      read_page(*feed.behind_from);
      break;
    }
    if (!scan(i, *batch)) break;
  }
  run();
}

// Begins after the subscriber that the log was read for last: one that is always behind must not keep the others
// waiting.
void event_router::catch_up_all() {
  std::vector<slot> order(behind_.upper_bound(read_for_), behind_.end());
  order.insert(order.end(), behind_.begin(), behind_.upper_bound(read_for_));
  for (const auto i : order) catch_up(i);
}

void event_router::make_runnable(slot i) {
  auto& feed = feeds_[i];
  if (feed.runnable || feed.asked > 0 || feed.pausing || feed.queue.empty()) return;
  feed.runnable = true;
  runnable_.push_back(i);
}

void event_router::run() {
  while (running_ && !stopping_ && asks_ < limits_.asks_max && !runnable_.empty()) {
    const auto i = runnable_.front();
    runnable_.pop_front();
    if (!std::exchange(feeds_[i].runnable, false)) continue; // dropped meanwhile
    if (!feeds_[i].queue.empty() && feeds_[i].asked == 0 && !feeds_[i].pausing) ask(i);
  }
}

void event_router::ask(slot i) {
  auto& feed = feeds_[i];
  rule::evaluate_events request;
  request.partition = only_partition;
  std::size_t bytes = 0;
  for (const auto& one : feed.queue) {
    if (request.events.size() >= limits_.ask_events || (bytes > 0 && bytes + one.size > limits_.ask_bytes)) break;
    bytes += one.size;
    request.events.push_back(one.event);
  }
  feed.asked = request.events.size();
  ++asks_;
  auto context = feed.queue.front().cause->child().with_deadline(deps_.time->steady_now() + limits_.ask_deadline);
  entities_->ask(feed.ref, std::move(context), message::of(std::move(request)),
                 [post = own_.remote(), i, serial = feed.serial, events = feed.asked](result<message> reply) {
                   post([i, serial, events, reply = std::move(reply)](event_router& self) {
                     self.answered(i, serial, events, reply);
                   });
                 });
}

void event_router::answered(slot i, std::uint64_t serial, std::size_t events, const result<message>& reply) {
  if (i >= feeds_.size() || feeds_[i].serial != serial || feeds_[i].asked == 0)
    return finish_if_stopped(); // it left meanwhile
  auto& feed = feeds_[i];
  --asks_;
  feed.asked = 0;
  const auto code = reply ? error_code{} : reply.error().code;
  const bool gone = !reply && (code == error_code::not_found || code == error_code::quarantined);
  const bool heals = !reply && describe(code).retryable;
  if (!reply && !gone && (heals || feed.failures + 1 < limits_.refusals_max)) {
    ++feed.failures;
    pause(i);
  } else {
    if (!reply) {
      skipped_ += events;
      spdlog::warn("events.skipped entity={} events={} error={}", to_string(feed.ref), events, reply.error().text());
    }
    feed.failures = 0;
    pop(feed, events);
    make_runnable(i);
    if (feed.behind_from) catch_up(i);
  }
  run();
  finish_if_stopped();
}

void event_router::pause(slot i) {
  auto& feed = feeds_[i];
  feed.pausing = true;
  const auto longest = std::chrono::duration_cast<std::chrono::microseconds>(limits_.retry_longest);
  const auto wait =
      std::min<std::chrono::microseconds>(longest, limits_.retry_first * (1 << std::min(feed.failures - 1, 10)));
  own_.after(wait, [i, serial = feed.serial](event_router& self) {
    if (self.feeds_[i].serial != serial) return;
    self.feeds_[i].pausing = false;
    self.make_runnable(i);
    self.run();
  });
}

// -- the watermark --------------------------------------------------------------------------------------------------

std::uint64_t event_router::evaluated() const {
  auto lowest = position_;
  for (const auto& feed : feeds_)
    if (const auto oldest = feed.used ? feed.oldest() : std::nullopt) lowest = std::min(lowest, *oldest);
  return lowest;
}

void event_router::tick() {
  if (stopping_) return;
  store_evaluated();
  catch_up_all(); // room that one subscriber left may be what another waited for
  own_.after(tick_pause, [](event_router& self) { self.tick(); });
}

void event_router::store_evaluated() {
  const auto now_evaluated = evaluated();
  if (deps_.figures) deps_.figures->set(telemetry::metric::event_lag, static_cast<double>(end_ - now_evaluated));
  if (now_evaluated == stored_ || std::exchange(storing_, true)) return;
  storage::unit_of_work unit;
  if (deps_.fence) unit.statements.push_back(*deps_.fence);
  unit.statements.push_back(store_watermark(now_evaluated));
  deps_.db->write(std::move(unit), [post = own_.remote(), now_evaluated](result<storage::write_outcome> outcome) {
    post([now_evaluated, stored = outcome.has_value()](event_router& self) {
      self.storing_ = false;
      if (stored) self.stored_ = now_evaluated;
      if (stored && !self.stopping_) self.purge(now_evaluated);
      self.finish_if_stopped();
    });
  });
}

void event_router::purge(std::uint64_t below) {
  const auto now = deps_.time->steady_now();
  if (now < next_purge_) return;
  next_purge_ = now + purge_pause;
  storage::unit_of_work unit;
  if (deps_.fence) unit.statements.push_back(*deps_.fence);
  unit.statements.push_back(purge_batches(deps_.time->now() - limits_.keep_for, below, purge_rows));
  deps_.db->write(std::move(unit), [](const result<storage::write_outcome>& outcome) {
    if (!outcome) spdlog::warn("events.purge_failed {}", outcome.error().text());
  });
}

void event_router::stop(std::shared_ptr<void> until_stopped) {
  stopping_ = true;
  until_stopped_.push_back(std::move(until_stopped));
  finish_if_stopped();
}

void event_router::finish_if_stopped() {
  if (!stopping_ || asks_ > 0 || reading_ || storing_) return;
  if (running_ && !std::exchange(final_stored_, true)) {
    store_evaluated();
    if (storing_) return;
  }
  until_stopped_.clear();
}

router_status event_router::status() const {
  router_status s;
  s.subscribers = index_.size();
  s.behind = behind_.size();
  s.end = end_;
  s.evaluated = evaluated();
  s.skipped = skipped_;
  return s;
}

} // namespace tobit::event
