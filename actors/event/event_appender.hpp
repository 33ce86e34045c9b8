#pragma once

#include "actors/event/event_parser.hpp"
#include "actors/event/id_window.hpp"
#include "runtime/entity/inbox.hpp"
#include "runtime/storage/database.hpp"
#include "runtime/telemetry/metrics.hpp"
#include "runtime/time/clock.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace tobit::event {

/// A request that was parsed and waits to be written. One that is dropped with the appender answers by itself.
struct append_request {
  append_request() = default;
  ~append_request() {
    if (done) answer(fail(error_code::unavailable));
  }
  append_request(const append_request&) = delete;
  append_request& operator=(const append_request&) = delete;
  void answer(result<ingest_report> report) {
    if (auto tell = std::exchange(done, nullptr)) tell(std::move(report));
  }

  call_context context;
  parsed_request parsed;
  std::string stored; ///< all of its events, compressed: the usual case needs no second look
  std::function<void(result<ingest_report>)> done;
};
using append_request_ptr = std::shared_ptr<append_request>;

struct appender_deps {
  storage::database* db = nullptr;
  const clock* time = nullptr;
  telemetry::metrics* figures = nullptr; ///< may be null
  /// Takes what is durable, in the order of offsets, before the callers are answered, and the log's end. Rows of a
  /// commit that was uncertain for long are not among them; they show only in the end.
  std::function<void(std::vector<logged_batch_ptr>, std::uint64_t end)> committed;
  /// Goes first in every unit: refuses it with `fenced` if another node leads by now.
  std::optional<storage::statement> fence = std::nullopt;
  std::function<void()> fenced{}; ///< a unit was refused; may be empty
};

/// The one writer of the event log: removes duplicates, gives out offsets, writes groups of requests.
///
/// One group is under way at a time; meanwhile the next one gathers. Therefore offsets have no gaps, and a duplicate of
/// an event whose commit is under way is judged (and answered) after that commit. A group that fails leaves nothing
/// behind, its ids are forgotten. When nobody knows whether a group was committed, the rows are asked until they
/// answer.
class event_appender {
public:
  using inbox = entity::inbox<event_appender>;
  static constexpr std::size_t group_requests_max = 256;
  static constexpr std::size_t group_bytes_max = 16u << 20;
  /// How long callers wait for the answer of a database that was lost in the middle of their commit.
  static constexpr std::chrono::seconds resolve_patience{8};

  event_appender(appender_deps deps, inbox& own);

  /// Begins to write after `end`; before, requests wait.
  void start(std::uint64_t end, id_window ids);
  void append(append_request_ptr request);
  /// Writes what waits, refuses what comes; lets go of `until_stopped` at the end.
  void stop(std::shared_ptr<void> until_stopped);

private:
  struct member {
    append_request_ptr request;
    std::shared_ptr<logged_batch> batch; ///< null: nothing new in it
    std::vector<id_hash> fresh;
  };

  void begin_group();
  member admit(append_request_ptr request, std::vector<storage::statement>& statements);
  void written(result<storage::write_outcome> outcome);
  void finish_group();
  void fail_group(const error& why);
  void answer(member& one, result<ingest_report> report);
  void ask_rows();
  void rows_told(result<storage::rows> found);
  void count(std::string_view outcome, std::size_t events);
  void next();

  appender_deps deps_;
  inbox& own_;
  bool started_ = false, stopping_ = false, busy_ = false, unsure_ = false;
  std::uint64_t end_ = 0;
  id_window ids_{0, std::chrono::microseconds{0}};
  std::deque<append_request_ptr> waiting_;
  std::vector<member> group_;
  steady_time unsure_since_{};
  std::vector<std::shared_ptr<void>> until_stopped_;
};

} // namespace tobit::event
