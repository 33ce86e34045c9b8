#include "runtime/job/job_desk.hpp"

#include "runtime/job/job_rows.hpp"

#include <algorithm>
#include <exception>
#include <functional>
#include <utility>

namespace tobit::job {

namespace {

/// The rows of a job are written in the order in which things happened to it.
std::uint64_t lane_of(const std::string& id) { return std::hash<std::string>{}(id); }

json time_or_null(const std::optional<utc_time>& at) { return at ? json(to_rfc3339(*at)) : json(); }

} // namespace

json to_json(const job_view& job) {
  json out{{"job_id", job.id},
           {"subject", job.order.subject},
           {"status", job.status},
           {"created_by", job.order.by},
           {"created_at", to_rfc3339(job.created_at)},
           {"started_at", time_or_null(job.started_at)},
           {"finished_at", time_or_null(job.finished_at)},
           {"progress", {{"done", job.done}, {"total", job.total}, {"details", job.details}}},
           {"report", job.report}};
  if (job.failure)
    out["error"] = {{"error", describe(job.failure->code).name}, {"message", job.failure->text()}};
  else
    out["error"] = nullptr;
  return out;
}

std::string topic_of(const std::string& job_id) { return "job." + job_id; }

/// A job that is not over. The view belongs to the desk's lock.
struct job_desk::open_job {
  job_view view;
  job_work* work = nullptr;
  std::atomic<bool> called_off{false};
};

/// What the work reports goes into the view at once, to watchers and into the row only now and then.
class job_desk::progress final : public job_progress {
public:
  progress(job_desk& desk, open_ptr job) : desk_(desk), job_(std::move(job)) {}

  void report(std::int64_t done, std::int64_t total, json details) override {
    job_view shown;
    const auto now = desk_.time_.steady_now();
    bool publish = false, store = false;
    {
      std::lock_guard lock{desk_.guard_};
      job_->view.done = done;
      job_->view.total = total;
      if (!details.is_null()) job_->view.details = std::move(details);
      publish = now - published_at_ >= desk_.options_.publish_every;
      store = now - stored_at_ >= desk_.options_.store_every;
      if (publish) published_at_ = now;
      if (store) stored_at_ = now;
      if (publish || store) shown = job_->view;
    }
    if (publish) desk_.publish(shown, "progress");
    if (store) desk_.store(shown);
  }
  bool called_off() const noexcept override { return job_->called_off.load(std::memory_order_relaxed); }

private:
  job_desk& desk_;
  const open_ptr job_;
  steady_time published_at_{}, stored_at_{};
};

job_desk::job_desk(storage::database& db, const clock& time, stream::event_bus* bus, node_id self,
                   const job_options& options)
    : db_(db), time_(time), bus_(bus), self_(std::move(self)), options_(options) {}

job_desk::~job_desk() { stop(); }

void job_desk::add(job_work& work) { kinds_.emplace(work.kind(), &work); }

result<void> job_desk::start() {
  storage::unit_of_work left_over;
  left_over.statements.push_back(interrupt_jobs(self_, time_.now()));
  if (auto done = db_.write_and_wait(std::move(left_over)); !done) return fail(std::move(done.error()));
  for (std::size_t i = 0; i < options_.threads; ++i) threads_.emplace_back([this] { work(); });
  return {};
}

void job_desk::stop() {
  {
    std::lock_guard lock{guard_};
    stopping_ = true;
    for (const auto& [id, job] : open_) job->called_off.store(true);
  }
  wake_.notify_all();
  for (auto& thread : threads_) thread.join();
  threads_.clear();
  std::unique_lock lock{guard_};
  wake_.wait(lock, [this] { return writes_open_ == 0; });
}

/// Writes and comes back here; `stop` waits for that.
template <class F>
void job_desk::write(const std::string& job_id, storage::statement what, F then) {
  {
    std::lock_guard lock{guard_};
    ++writes_open_;
  }
  storage::unit_of_work unit;
  unit.lane = lane_of(job_id);
  unit.statements.push_back(std::move(what));
  db_.write(std::move(unit), [this, then = std::move(then)](result<storage::write_outcome> written) {
    then(written);
    {
      std::lock_guard lock{guard_};
      --writes_open_;
      // Under the lock: whoever waits may destroy this as soon as it is let go.
      wake_.notify_all();
    }
  });
}

// -- orders ---------------------------------------------------------------------------------------------------------

void job_desk::submit(job_order order, view_receiver done) {
  const auto kind = kinds_.find(order.kind);
  if (kind == kinds_.end()) return done(fail(error_code::not_implemented));
  auto wish = kind->second->check(order);
  if (!wish) return done(fail(std::move(wish.error())));
  order.wish = std::move(*wish);
  auto job = std::make_shared<open_job>();
  job->work = kind->second;
  job->view.id = new_uuid();
  job->view.order = std::move(order);
  job->view.status = "waiting";
  job->view.created_at = time_.now();
  {
    std::lock_guard lock{guard_};
    if (stopping_) return done(fail(error_code::unavailable));
    if (open_.size() >= options_.waiting_max + options_.threads)
      return done(fail(error_code::overloaded, "As much long work is waiting as this node takes; try again later."));
    open_.emplace(job->view.id, job); // counts from now on, runs once its row is there
  }
  const auto id = job->view.id;
  write(id, insert_job(job->view, self_), [this, job, view = job->view, done = std::move(done)](const auto& written) {
    {
      std::lock_guard lock{guard_};
      if (!written) open_.erase(view.id);
      if (written) waiting_.push_back(job);
    }
    if (!written) return done(fail(written.error()));
    wake_.notify_all();
    done(view);
  });
}

job_desk::open_ptr job_desk::find_open(const std::string& id) const {
  const auto found = open_.find(id);
  return found == open_.end() ? nullptr : found->second;
}

void job_desk::find(const tenant_id& tenant, const std::string& kind, const std::string& id, view_receiver done) {
  std::optional<job_view> fresh;
  {
    std::lock_guard lock{guard_};
    const auto job = find_open(id);
    if (job && job->view.order.tenant == tenant && job->view.order.kind == kind) fresh = job->view;
  }
  if (fresh) return done(std::move(*fresh));
  db_.read(select_job(tenant, kind, id), [done = std::move(done)](result<storage::rows> found) {
    if (!found) return done(fail(std::move(found.error())));
    if (found->empty()) return done(fail(error_code::not_found));
    done(job_of_row((*found)[0]));
  });
}

void job_desk::list(const tenant_id& tenant, const std::string& kind, const std::string& subject, std::int64_t limit,
                    views_receiver done) {
  db_.read(select_jobs(tenant, kind, subject, limit), [done = std::move(done)](result<storage::rows> found) {
    if (!found) return done(fail(std::move(found.error())));
    std::vector<job_view> out;
    for (const auto& row : found->values) out.push_back(job_of_row(row));
    done(std::move(out));
  });
}

void job_desk::call_off(const tenant_id& tenant, const std::string& kind, const std::string& id, view_receiver done) {
  find(tenant, kind, id, [this, done = std::move(done)](result<job_view> found) {
    if (!found || found->over()) return done(std::move(found));
    open_ptr job;
    bool waits = false;
    {
      std::lock_guard lock{guard_};
      job = find_open(found->id);
      if (job) job->called_off.store(true);
      const auto place = std::find(waiting_.begin(), waiting_.end(), job);
      waits = job && place != waiting_.end();
      if (waits) waiting_.erase(place);
    }
    if (!job) return done(fail(error_code::conflict, "This runs on another node; call it off there."));
    if (waits) finish(job, fail(error_code::unavailable));
    found->status = "cancelled";
    done(std::move(found));
  });
}

// -- work -----------------------------------------------------------------------------------------------------------

void job_desk::work() {
  while (true) {
    open_ptr next;
    {
      std::unique_lock lock{guard_};
      wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (stopping_) return;
      next = waiting_.front();
      waiting_.pop_front();
      next->view.status = "running";
      next->view.started_at = time_.now();
    }
    run_one(next);
  }
}

void job_desk::run_one(const open_ptr& job) {
  store(job->view);
  publish(job->view, "progress");
  progress told{*this, job};
  result<json> outcome = fail(error_code::internal_server_error);
  try {
    outcome = job->work->run(job->view.order, told);
  } catch (const std::exception& e) {
    outcome = fail(error_code::internal_server_error, std::string("It failed inside: ") + e.what());
  }
  if (outcome && to_text(*outcome).size() > options_.report_bytes_max)
    outcome = fail(error_code::payload_too_large, "The report is larger than it may be; choose a shorter range.");
  finish(job, std::move(outcome));
}

void job_desk::finish(const open_ptr& job, result<json> outcome) {
  job_view last;
  {
    std::lock_guard lock{guard_};
    auto& view = job->view;
    view.finished_at = time_.now();
    if (job->called_off.load())
      view.status = stopping_ ? "interrupted" : "cancelled";
    else if (outcome)
      view.status = "done";
    else
      view.status = "failed";
    if (view.status == "done") view.report = std::move(*outcome);
    if (view.status == "failed") view.failure = std::move(outcome.error());
    last = view;
  }
  // Until its row is written whoever asks is shown what is in memory.
  write(last.id, update_job(last), [this, last](const auto&) {
    {
      std::lock_guard lock{guard_};
      open_.erase(last.id);
    }
    publish(last, "finished");
  });
}

void job_desk::store(const job_view& view) {
  write(view.id, update_job(view), [](const auto&) {}); // should it fail: the next report writes it again
}

void job_desk::publish(const job_view& view, const char* event) {
  if (!bus_) return;
  auto shown = to_json(view);
  shown["report"] = nullptr; // whoever wants it asks for it
  bus_->publish(view.order.tenant, topic_of(view.id), event, shown);
}

} // namespace tobit::job
