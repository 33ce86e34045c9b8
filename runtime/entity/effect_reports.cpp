#include "runtime/entity/effect_reports.hpp"

#include "runtime/entity/outbox_dispatcher.hpp"
#include "runtime/entity/outbox_rows.hpp"
#include "runtime/entity/restart_policy.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace tobit::entity {

namespace {

constexpr std::chrono::seconds patience{30};

/// Asking again leads nowhere: the entity is gone, or does not care.
bool is_final(error_code code) noexcept {
  return code == error_code::not_found || code == error_code::not_implemented || code == error_code::validation_error;
}

} // namespace

effect_reports::effect_reports(entity_deps_ptr deps, std::shared_ptr<entity_gateway> entities, std::string owner,
                               fence_lookup rights, inbox<outbox_dispatcher>& in,
                               std::function<void(const std::string&)> on_closed)
    : deps_(std::move(deps))
    , entities_(std::move(entities))
    , owner_(std::move(owner))
    , rights_(std::move(rights))
    , inbox_(in)
    , on_closed_(std::move(on_closed))
    , turns_(deps_->options.outbox.concurrency_per_source_max) {}

void effect_reports::tell(open_report report) {
  if (!admit(std::move(report))) rows_left_ = true;
  pump();
}

bool effect_reports::admit(open_report report) {
  const auto& limits = deps_->options.outbox;
  if (held_.count(report.what.effect_id) != 0) return true;
  auto& of_source = held_of_[report.source];
  if (held_.size() >= limits.memory_max || of_source >= limits.memory_per_source_max) return false;
  ++of_source;
  turns_.wait(report.source, report.what.effect_id);
  auto id = report.what.effect_id;
  held_.emplace(std::move(id), std::move(report));
  return true;
}

void effect_reports::pump() {
  while (!stopped_ && running_ < deps_->options.outbox.concurrency_max) {
    const auto id = turns_.next();
    if (!id) return;
    ++running_;
    ask(held_.at(*id)); // what waits is held
  }
}

void effect_reports::ask(const open_report& report) {
  auto context = report.context.child().with_deadline(deps_->time->steady_now() + patience);
  entities_->ask(
      report.source, std::move(context), message::of(report.what),
      [send = inbox_.remote(), id = report.what.effect_id, source = report.source](const result<message>& reply) {
        const auto problem = reply ? std::nullopt : std::optional(reply.error());
        send([id, source, problem](outbox_dispatcher& self) { self.reports().answered(id, source, problem); });
      });
}

void effect_reports::answered(const std::string& id, const entity_ref& source, const std::optional<error>& problem) {
  --running_;
  turns_.ended(source);
  if (auto one = held_.find(id); one != held_.end()) {
    const bool over =
        problem && (is_final(problem->code) || one->second.attempts + 1 >= deps_->options.outbox.report_attempts_max);
    if (deps_->figures)
      deps_->figures->count(telemetry::metric::outbox_reports, {one->second.what.type, !problem ? "told"
                                                                                       : over   ? "given_up"
                                                                                                : "retry"});
    if (!problem) // the entity's own transaction has closed the report
      closed(one);
    else if (over)
      give_up(one, *problem);
    else
      postpone(one, *problem);
  }
  pump();
}

void effect_reports::give_up(held one, const error& problem) {
  spdlog::warn("effect_report_given_up effect={} entity={} error=\"{}\"", one->first, to_string(one->second.source),
               problem.text());
  write(one, std::nullopt, problem);
}

void effect_reports::postpone(held one, const error& problem) {
  const auto& limits = deps_->options.outbox;
  const auto times = static_cast<std::size_t>(one->second.attempts + 1);
  write(one, backed_off(times, limits.pause_first, limits.pause_max, limits.jitter, deps_->random()), problem);
}

void effect_reports::write(held one, std::optional<std::chrono::microseconds> pause, const error& problem) {
  const auto right = rights_(one->second.source);
  if (!right) return forget(one); // another node carries it on
  const auto now = deps_->time->now();
  auto unit = unit_of_report(one->first, *right, one->second.attempts + 1,
                             pause ? std::optional(now + *pause) : std::nullopt, std::string(problem.text()));
  deps_->db->write(std::move(unit),
                   [send = inbox_.remote(), id = one->first, pause](const result<storage::write_outcome>& done) {
                     const bool soon = done.has_value() && pause;
                     send([id, pause, soon](outbox_dispatcher& self) {
                       auto& reports = self.reports();
                       // Unstored, the row is due as before; the next look at the rows finds it.
                       if (auto entry = reports.held_.find(id); entry != reports.held_.end()) {
                         if (pause)
                           reports.forget(entry);
                         else
                           reports.closed(entry);
                       }
                       if (soon && *pause < reports.deps_->options.outbox.scan_every)
                         reports.inbox_.after(*pause, [](outbox_dispatcher& later) { later.reports().scan(); });
                     });
                   });
}

void effect_reports::closed(held one) {
  const auto correlation = one->second.what.correlation;
  forget(one);
  if (on_closed_) on_closed_(correlation);
}

void effect_reports::forget(held one) {
  if (scanning_) ended_while_scanning_.insert(one->first);
  auto of_source = held_of_.find(one->second.source);
  const auto left = --of_source->second;
  if (left == 0) held_of_.erase(of_source);
  held_.erase(one);
  const auto& limits = deps_->options.outbox;
  if (rows_left_ && held_.size() <= limits.memory_max / 2 && left <= limits.memory_per_source_max / 2) scan();
}

void effect_reports::scan() {
  const auto memory = deps_->options.outbox.memory_max;
  if (scanning_ || stopped_ || held_.size() >= memory) return;
  scanning_ = true;
  rows_left_ = false;
  const auto limit = std::min(memory, held_.size() + std::max<std::size_t>(memory / 4, 1));
  deps_->db->read(due_reports_query(owner_, deps_->time->now(), limit), [send = inbox_.remote(),
                                                                         limit](result<storage::rows> rows) {
    send([limit, rows = std::move(rows)](outbox_dispatcher& self) { self.reports().scanned(rows, limit); });
  });
}

void effect_reports::scanned(const result<storage::rows>& rows, std::size_t limit) {
  scanning_ = false;
  const auto ended = std::move(ended_while_scanning_);
  ended_while_scanning_.clear();
  if (!rows || stopped_) return;
  rows_left_ = rows_left_ || rows->size() >= limit;
  for (const auto& row : rows->values)
    if (ended.count(storage::as_text(row[0])) == 0 && !admit(read_report(row))) rows_left_ = true;
  pump();
}

} // namespace tobit::entity
