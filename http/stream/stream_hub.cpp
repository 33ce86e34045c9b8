#include "http/stream/stream_hub.hpp"

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

namespace tobit::http {

using stream::stream_item;

/// One client. `deliver` runs on publishers' threads, one at a time.
struct stream_hub::watcher {
  std::shared_ptr<const stream_kind> kind;
  caller who;
  tenant_id tenant;
  std::shared_ptr<event_stream> out;
  std::atomic<bool> gone{false}, happened{false};
  std::uint64_t last_id = 0;          ///< of the latest item; belongs to the subscription
  std::shared_ptr<void> subscription; ///< touched by the hub only

  void send(std::shared_ptr<const std::string> bytes) {
    if (!gone.load(std::memory_order_relaxed) && !out->send(std::move(bytes))) gone.store(true);
  }
  void deliver(const stream_item& item);
};

namespace {

/// All watchers of an item share its bytes: the bus delivers one item to everybody on one thread.
std::shared_ptr<const std::string> frame_of(const stream_item& item) {
  thread_local std::shared_ptr<const std::string> body, frame;
  if (body != item.data) {
    body = item.data;
    frame = write_frame(item.id, item.event, *item.data);
  }
  return frame;
}

std::uint64_t last_event_id(const exchange& ex) {
  const auto sent = ex.incoming().header("last-event-id");
  std::uint64_t id = 0;
  const auto [end, wrong] = std::from_chars(sent.data(), sent.data() + sent.size(), id);
  return wrong == std::errc{} && end == sent.data() + sent.size() ? id : 0;
}

} // namespace

std::shared_ptr<const std::string> write_frame(std::uint64_t id, const std::string& event, const std::string& body) {
  auto out = std::make_shared<std::string>();
  out->reserve(body.size() + event.size() + 48);
  if (id != 0) *out += "id: " + std::to_string(id) + '\n';
  *out += "event: " + event + "\ndata: " + body + "\n\n";
  return out;
}

void stream_hub::watcher::deliver(const stream_item& item) {
  happened.store(true, std::memory_order_relaxed);
  if (last_id != 0 && item.id != last_id + 1)
    send(write_frame(0, "gap", to_text(json{{"after", last_id}, {"next", item.id}})));
  last_id = item.id;
  send(frame_of(item));
}

stream_hub::stream_hub(stream::event_bus& bus, const clock& time, authenticator& people, telemetry::metrics* figures,
                       stream_options options)
    : bus_(bus), time_(time), people_(people), figures_(figures), options_(options) {
  // nop
}

stream_hub::~stream_hub() { stop(); }

std::size_t stream_hub::open_streams() const {
  std::lock_guard lock{guard_};
  return watchers_.size();
}

bool stream_hub::admit(const exchange_ptr& ex) const {
  const auto principal = ex->who().principal();
  std::lock_guard lock{guard_};
  if (stopped_ || watchers_.size() >= options_.streams_max) {
    ex->refuse({error_code::overloaded, "This node has as many event streams as it may have; try again later."});
    return false;
  }
  const auto own =
      std::count_if(watchers_.begin(), watchers_.end(), [&](auto& w) { return w->who.principal() == principal; });
  if (static_cast<std::size_t>(own) >= options_.streams_per_principal) {
    ex->refuse({error_code::rate_limit_exceeded, "You have as many event streams open as you may have; close one."},
               nullptr, retry_after(std::chrono::seconds{5}));
    return false;
  }
  return true;
}

void stream_hub::open(const exchange_ptr& ex, std::shared_ptr<const stream_kind> kind) {
  if (!admit(ex)) return;
  // A watcher that resumes has seen the opening before; it only needs the current summary.
  const auto& source = last_event_id(*ex) == 0 ? kind->opening : kind->summary;
  if (!source) return start(ex, std::move(kind), {});
  source(ex->tenant(),
         ex->then([this, ex, kind](std::vector<stream_message> first) { start(ex, kind, std::move(first)); }));
}

void stream_hub::start(const exchange_ptr& ex, std::shared_ptr<const stream_kind> kind,
                       std::vector<stream_message> first) {
  auto w = std::make_shared<watcher>();
  w->kind = kind;
  w->who = ex->who();
  w->tenant = ex->tenant();
  w->last_id = last_event_id(*ex);
  w->out = ex->start_stream();
  if (!w->out) return;
  // The connection's thread must not wait for a publisher, so it only leaves a mark for `tick`.
  w->out->on_closed([mark = std::weak_ptr<watcher>(w)] {
    if (auto closed = mark.lock()) closed->gone.store(true);
  });
  for (const auto& message : first) w->send(write_frame(0, message.event, to_text(message.body)));
  w->subscription =
      bus_.subscribe(w->tenant, kind->topic, w->last_id, [mark = std::weak_ptr<watcher>(w)](const stream_item& item) {
        if (auto to = mark.lock()) to->deliver(item);
      });
  bool refused = false;
  {
    std::lock_guard lock{guard_};
    refused = stopped_;
    if (!refused) watchers_.push_back(w);
    if (figures_) figures_->set(telemetry::metric::http_streams, static_cast<double>(watchers_.size()));
  }
  if (refused) w->out->close();
}

/// Takes out those that are gone and gives back those that stay. Subscriptions end outside the lock: that may wait for
/// a delivery under way.
std::vector<stream_hub::watcher_ptr> stream_hub::reap() {
  std::vector<watcher_ptr> staying, leaving;
  {
    std::lock_guard lock{guard_};
    for (auto at = watchers_.begin(); at != watchers_.end();) {
      const bool gone = (*at)->gone.load();
      (gone ? leaving : staying).push_back(*at);
      at = gone ? watchers_.erase(at) : std::next(at);
    }
    if (figures_ && !leaving.empty())
      figures_->set(telemetry::metric::http_streams, static_cast<double>(watchers_.size()));
  }
  for (auto& w : leaving) {
    w->subscription.reset();
    w->out->close();
  }
  return staying;
}

void stream_hub::send_to_all(const std::vector<watcher_ptr>& all, const std::string& event, const json& body) const {
  const auto bytes = write_frame(0, event, to_text(body));
  for (const auto& w : all) w->send(bytes);
}

void stream_hub::check_all(const std::vector<watcher_ptr>& all) {
  for (const auto& w : all)
    people_.check_again(w->who, [w, now = time_.now()](const result<caller>& who) {
      auto problem = who ? std::optional<error>{} : who.error();
      if (who && !who->may(w->kind->needs, now).granted) problem = error{error_code::authorization_error};
      if (!problem || describe(problem->code).retryable) return;
      w->send(write_frame(0, "error",
                          to_text(json{{"error", describe(problem->code).name}, {"message", problem->text()}})));
      w->gone.store(true);
    });
}

void stream_hub::send_summaries(const std::vector<watcher_ptr>& all) {
  std::map<std::pair<const stream_kind*, std::string>, std::vector<watcher_ptr>> groups;
  for (const auto& w : all)
    if (w->kind->summary && w->happened.exchange(false)) groups[{w->kind.get(), w->tenant.value}].push_back(w);
  for (auto& [group, members] : groups)
    group.first->summary(tenant_id{group.second}, [members = std::move(members)](const auto& read) {
      if (!read) return; // the next one will tell
      for (const auto& message : *read) {
        const auto bytes = write_frame(0, message.event, to_text(message.body));
        for (const auto& w : members) w->send(bytes);
      }
    });
}

void stream_hub::tick() {
  const auto now = time_.steady_now();
  const auto staying = reap();
  if (staying.empty()) return;
  const auto due = [now](steady_time& last, std::chrono::milliseconds every) {
    if (now - last < every) return false;
    last = now;
    return true;
  };
  if (due(beat_at_, options_.heartbeat)) send_to_all(staying, "ping", json{{"time", to_rfc3339(time_.now())}});
  if (due(checked_at_, options_.check_again)) check_all(staying);
  if (due(summed_at_, options_.summary_every)) send_summaries(staying);
}

void stream_hub::stop() {
  std::list<watcher_ptr> all;
  {
    std::lock_guard lock{guard_};
    stopped_ = true;
    all.swap(watchers_);
  }
  const auto bytes = write_frame(0, "shutdown", "{}");
  for (auto& w : all) {
    w->subscription.reset();
    w->send(bytes);
    w->out->close();
  }
}

} // namespace tobit::http
