#include "actors/event/event_log.hpp"

#include "actors/event/event_actors.hpp"
#include "actors/event/event_parser.hpp"
#include "actors/event/log_reader.hpp"

#include <caf/actor_system.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <future>
#include <limits>
#include <utility>

namespace tobit::event {

namespace {

constexpr std::chrono::seconds start_patience{60};
constexpr std::size_t hash_page_rows = 500;

/// Counts what is parsed and not yet answered.
struct waiting_room {
  std::atomic<std::size_t> requests{0}, bytes{0};
};

/// A place in the waiting room, given back with the answer.
class waiting_place {
public:
  waiting_place(std::shared_ptr<waiting_room> room, std::size_t bytes) : room_(std::move(room)), bytes_(bytes) {
    ++room_->requests;
    room_->bytes += bytes_;
  }
  ~waiting_place() {
    --room_->requests;
    room_->bytes -= bytes_;
  }
  waiting_place(const waiting_place&) = delete;
  waiting_place& operator=(const waiting_place&) = delete;

private:
  std::shared_ptr<waiting_room> room_;
  std::size_t bytes_;
};

std::uint64_t to_offset(const storage::rows& found) {
  if (found.empty() || storage::is_null(found[0][0])) return 0;
  const auto& cell = found[0][0];
  if (const auto* text = std::get_if<std::string>(&cell)) {
    std::uint64_t number = 0;
    std::from_chars(text->data(), text->data() + text->size(), number);
    return number;
  }
  return static_cast<std::uint64_t>(storage::as_int(cell));
}

class node_event_log final : public event_log, public event_intake, public entity::interest_listener {
public:
  node_event_log(const event_log_deps& deps, const event_log_options& options) : deps_(deps), options_(options) {
    router_ = deps.system->spawn(event_router_actor, router_deps{deps.db, deps.time, deps.figures, deps.fence},
                                 options.routing);
    appender_deps writing{deps.db, deps.time, deps.figures, {}, deps.fence, deps.fenced};
    writing.committed = [router = router_](std::vector<logged_batch_ptr> batches, std::uint64_t end) {
      caf::anon_send(router, entity::job<event_router>{
                                 [batches = std::move(batches), end](event_router& r) { r.take(batches, end); }});
    };
    appender_ = deps.system->spawn(event_appender_actor, writing);
  }

  ~node_event_log() override {
    caf::anon_send_exit(appender_, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(router_, caf::exit_reason::user_shutdown);
  }

  result<void> start(entity::entity_gateway& entities) override {
    auto end_row = deps_.db->read_and_wait(select_end(), start_patience);
    auto watermark_row = deps_.db->read_and_wait(select_watermark(), start_patience);
    auto interests = deps_.db->read_and_wait(select_interests(), start_patience);
    for (const auto* row : {&end_row, &watermark_row, &interests})
      if (!*row) return fail(row->error());
    const auto watermark = to_offset(*watermark_row);
    const auto end = std::max(to_offset(*end_row), watermark); // all rows may be purged
    auto ids = remembered_ids();
    if (!ids) return fail(ids.error());
    auto rows = std::make_shared<storage::rows>(std::move(*interests));
    tell_router([&entities, watermark, end, rows](event_router& r) { r.start(entities, watermark, end, *rows); });
    auto window = std::make_shared<id_window>(std::move(*ids));
    tell_appender([end, window](event_appender& a) { a.start(end, std::move(*window)); });
    return {};
  }

  bool stop(std::chrono::milliseconds patience) override {
    stopping_ = true;
    const auto until = std::chrono::steady_clock::now() + patience;
    // The router after the appender: what is committed on the way out still reaches the watermark's owner.
    return wait_for_end(until,
                        [this](std::shared_ptr<void> token) {
                          tell_appender([token = std::move(token)](event_appender& a) { a.stop(token); });
                        }) &&
           wait_for_end(until, [this](std::shared_ptr<void> token) {
             tell_router([token = std::move(token)](event_router& r) { r.stop(token); });
           });
  }

  event_intake& intake() noexcept override { return *this; }
  entity::interest_listener& interests() noexcept override { return *this; }

  void ingest(ingest_request request, std::function<void(result<ingest_report>)> done) override {
    if (stopping_) return done(fail(error_code::unavailable));
    if (waiting_->requests >= options_.waiting_requests_max ||
        waiting_->bytes + request.body.size() > options_.waiting_bytes_max)
      return done(
          fail(error_code::overloaded, "More events arrive than can be written; send them again after a moment."));
    auto place = std::make_shared<waiting_place>(waiting_, request.body.size());
    auto parsed = parse_events(request, deps_.time->now(), options_.request);
    if (!parsed) return done(fail(std::move(parsed.error())));
    if (deps_.figures && parsed->report.rejected_total > 0)
      deps_.figures->count(telemetry::metric::events_ingested, {"rejected"},
                           static_cast<double>(parsed->report.rejected_total));
    if (parsed->events.lines.empty()) return done(std::move(parsed->report));
    auto append = std::make_shared<append_request>();
    append->context = std::move(request.context);
    append->parsed = std::move(*parsed);
    append->stored = compressed(append->parsed.events.text);
    append->done = [place, done = std::move(done)](result<ingest_report> report) { done(std::move(report)); };
    tell_appender([append = std::move(append)](event_appender& a) { a.append(append); });
  }

  std::string_view source() const noexcept override { return "event"; }
  void interest_changed(const entity_ref& ref, std::int64_t version, std::optional<json> spec) override {
    tell_router([ref, version, spec = std::move(spec)](event_router& r) { r.interest_changed(ref, version, spec); });
  }

  void status(std::function<void(const router_status&)> done) override {
    tell_router([done = std::move(done)](event_router& r) { done(r.status()); });
  }

  void read(std::uint64_t from, std::size_t rows_max,
            std::function<void(result<std::vector<logged_batch_ptr>>)> done) override {
    read_batches(*deps_.db, from, std::clamp<std::size_t>(rows_max, 1, 100), std::move(done));
  }
  void find_offset(utc_time moment, std::function<void(result<std::uint64_t>)> done) override {
    ::tobit::event::find_offset(*deps_.db, moment, std::move(done));
  }

private:
  void tell_appender(std::function<void(event_appender&)> work) {
    caf::anon_send(appender_, entity::job<event_appender>{std::move(work)});
  }
  void tell_router(std::function<void(event_router&)> work) {
    caf::anon_send(router_, entity::job<event_router>{std::move(work)});
  }

  static bool wait_for_end(std::chrono::steady_clock::time_point until,
                           const std::function<void(std::shared_ptr<void>)>& begin) {
    auto ended = std::make_shared<std::promise<void>>();
    auto arrived = ended->get_future();
    begin(std::shared_ptr<void>(nullptr, [ended](void*) { ended->set_value(); }));
    return arrived.wait_until(until) == std::future_status::ready;
  }

  /// The ids of the latest events, read from the youngest row backwards and put in from the oldest on.
  result<id_window> remembered_ids() {
    std::vector<std::pair<utc_time, std::string>> pages;
    const auto oldest = deps_.time->now() - options_.remembered_for;
    std::uint64_t before = std::numeric_limits<std::int64_t>::max();
    std::size_t found_ids = 0;
    for (bool more = true; more;) {
      auto page = deps_.db->read_and_wait(select_hashes(before, hash_page_rows), start_patience);
      if (!page) return fail(page.error());
      more = page->size() == hash_page_rows;
      for (auto& row : page->values) {
        const auto received_at = from_micros(storage::as_int(row[1]));
        if (received_at < oldest || found_ids >= options_.remembered_ids) return fill(pages);
        before = static_cast<std::uint64_t>(storage::as_int(row[0]));
        found_ids += storage::as_text(row[2]).size() / sizeof(id_hash);
        pages.emplace_back(received_at, storage::as_text(row[2]));
      }
    }
    return fill(pages);
  }

  id_window fill(const std::vector<std::pair<utc_time, std::string>>& youngest_first) const {
    id_window ids{options_.remembered_ids, options_.remembered_for};
    for (auto page = youngest_first.rbegin(); page != youngest_first.rend(); ++page) {
      ids.advance(page->first);
      for (const auto& id : hashes_from_bytes(page->second)) ids.insert(id);
    }
    return ids;
  }

  const event_log_deps deps_;
  const event_log_options options_;
  std::shared_ptr<waiting_room> waiting_ = std::make_shared<waiting_room>();
  std::atomic<bool> stopping_{false};
  caf::actor router_, appender_;
};

} // namespace

std::unique_ptr<event_log> make_event_log(const event_log_deps& deps, const event_log_options& options) {
  return std::make_unique<node_event_log>(deps, options);
}

} // namespace tobit::event
