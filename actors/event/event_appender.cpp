#include "actors/event/event_appender.hpp"

#include "actors/event/log_reader.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace tobit::event {

namespace {

constexpr std::chrono::milliseconds pause_between_questions{250};

// All rows of the log go through one lane: the order of offsets is the order of commits.
constexpr std::uint64_t log_lane = 0;

} // namespace

event_appender::event_appender(appender_deps deps, inbox& own) : deps_(std::move(deps)), own_(own) {}

void event_appender::start(std::uint64_t end, id_window ids) {
  end_ = end;
  ids_ = std::move(ids);
  started_ = true;
  next();
}

void event_appender::append(append_request_ptr request) {
  if (stopping_) return request->answer(fail(error_code::unavailable));
  waiting_.push_back(std::move(request));
  next();
}

void event_appender::stop(std::shared_ptr<void> until_stopped) {
  stopping_ = true;
  until_stopped_.push_back(std::move(until_stopped));
  if (!started_) {
    for (auto& request : waiting_) request->answer(fail(error_code::unavailable));
    waiting_.clear();
  }
  next();
}

void event_appender::next() {
  if (busy_) return;
  if (unsure_) return ask_rows();
  if (started_ && !waiting_.empty()) return begin_group();
  if (stopping_) until_stopped_.clear();
}

event_appender::member event_appender::admit(append_request_ptr request, std::vector<storage::statement>& statements) {
  member one;
  auto& parsed = request->parsed;
  std::vector<bool> keep(parsed.hashes.size());
  for (std::size_t i = 0; i < parsed.hashes.size(); ++i) {
    keep[i] = ids_.insert(parsed.hashes[i]);
    if (keep[i]) one.fresh.push_back(parsed.hashes[i]);
  }
  parsed.report.accepted = one.fresh.size();
  parsed.report.duplicate = parsed.hashes.size() - one.fresh.size();
  if (!one.fresh.empty()) {
    one.batch = std::make_shared<logged_batch>();
    one.batch->first_offset = end_;
    one.batch->tenant = request->context.tenant();
    one.batch->received_at = deps_.time->now();
    one.batch->context = encode_context(request->context);
    if (parsed.report.duplicate == 0) {
      one.batch->events = std::move(parsed.events);
    } else {
      one.batch->events = only(parsed.events, keep);
      request->stored = compressed(one.batch->events.text);
    }
    end_ = one.batch->end_offset();
    statements.push_back(insert_batch(*one.batch, std::move(request->stored), to_bytes(one.fresh)));
  }
  one.request = std::move(request);
  return one;
}

void event_appender::begin_group() {
  const auto now = deps_.time->steady_now();
  ids_.advance(deps_.time->now());
  storage::unit_of_work unit;
  unit.lane = log_lane;
  std::size_t bytes = 0;
  if (deps_.fence) unit.statements.push_back(*deps_.fence);
  const auto proofs = unit.statements.size();
  while (!waiting_.empty() && group_.size() < group_requests_max && bytes < group_bytes_max) {
    auto request = std::move(waiting_.front());
    waiting_.pop_front();
    if (request->context.deadline <= now) {
      request->answer(
          fail(error_code::deadline_exceeded, "The events waited too long to be written; nothing was taken."));
      continue;
    }
    bytes += request->stored.size();
    group_.push_back(admit(std::move(request), unit.statements));
  }
  if (unit.statements.size() == proofs) return finish_group();
  busy_ = true;
  deps_.db->write(std::move(unit), [post = own_.remote()](result<storage::write_outcome> outcome) {
    auto shared = std::make_shared<result<storage::write_outcome>>(std::move(outcome));
    post([shared](event_appender& self) { self.written(std::move(*shared)); });
  });
}

void event_appender::written(result<storage::write_outcome> outcome) {
  busy_ = false;
  if (outcome) return finish_group();
  if (outcome.error().code == error_code::fenced && deps_.fenced) deps_.fenced();
  // conflict: rows are there that we do not know of, which only a commit of unknown outcome can have brought.
  if (!storage::outcome_unknown(outcome.error()) && outcome.error().code != error_code::conflict) {
    fail_group(outcome.error());
    return next();
  }
  spdlog::warn("events.commit_unknown requests={}", group_.size());
  unsure_ = true;
  unsure_since_ = deps_.time->steady_now();
  next();
}

void event_appender::finish_group() {
  std::vector<logged_batch_ptr> batches;
  for (const auto& one : group_)
    if (one.batch) batches.push_back(one.batch);
  if (!batches.empty()) deps_.committed(std::move(batches), end_);
  for (auto& one : std::exchange(group_, {})) {
    auto report = std::move(one.request->parsed.report);
    count("accepted", report.accepted);
    count("duplicate", report.duplicate);
    answer(one, std::move(report));
  }
  next();
}

void event_appender::fail_group(const error& why) {
  for (auto& one : std::exchange(group_, {})) {
    for (const auto& id : one.fresh) ids_.forget(id);
    if (one.batch) end_ = std::min(end_, one.batch->first_offset);
    answer(one, fail(why));
  }
}

void event_appender::answer(member& one, result<ingest_report> report) { one.request->answer(std::move(report)); }

void event_appender::ask_rows() {
  busy_ = true;
  auto first = end_;
  for (const auto& one : group_)
    if (one.batch) first = std::min(first, one.batch->first_offset);
  deps_.db->read(select_tail(first), [post = own_.remote()](result<storage::rows> found) {
    auto shared = std::make_shared<result<storage::rows>>(std::move(found));
    post([shared](event_appender& self) { self.rows_told(std::move(*shared)); });
  });
}

void event_appender::rows_told(result<storage::rows> found) {
  if (!found) {
    if (!group_.empty() && deps_.time->steady_now() - unsure_since_ > resolve_patience)
      fail_group({error_code::database_error, std::string(storage::outcome_unknown_sentence)});
    if (stopping_ && group_.empty()) unsure_ = false; // the next start reads the rows anyway
    return own_.after(pause_between_questions, [](event_appender& self) {
      self.busy_ = false;
      self.next();
    });
  }
  busy_ = unsure_ = false;
  const auto is_ours = [this](const std::vector<storage::value>& row) {
    return std::any_of(group_.begin(), group_.end(), [&](const member& one) {
      return one.batch && one.batch->first_offset == static_cast<std::uint64_t>(storage::as_int(row[0])) &&
             to_bytes(one.fresh) == storage::as_text(row[2]);
    });
  };
  const bool committed = !found->empty() && is_ours((*found)[0]);
  if (!committed)
    fail_group({error_code::database_error, "The database was lost during the commit; nothing was taken."});
  for (const auto& row : found->values) {
    end_ = static_cast<std::uint64_t>(storage::as_int(row[0]) + storage::as_int(row[1]));
    for (const auto& id : hashes_from_bytes(storage::as_text(row[2]))) ids_.insert(id);
  }
  if (committed) return finish_group();
  if (!found->empty()) deps_.committed({}, end_);
  next();
}

void event_appender::count(std::string_view outcome, std::size_t events) {
  if (deps_.figures && events > 0)
    deps_.figures->count(telemetry::metric::events_ingested, {outcome}, static_cast<double>(events));
}

} // namespace tobit::event
