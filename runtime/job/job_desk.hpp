#pragma once

#include "runtime/job/job.hpp"
#include "runtime/storage/database.hpp"
#include "runtime/stream/event_bus.hpp"
#include "runtime/time/clock.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace tobit::job {

struct job_options {
  std::size_t threads = 1;                      ///< jobs that run at the same time
  std::size_t waiting_max = 20;                 ///< further ones; beyond: overloaded
  std::size_t report_bytes_max = 4u << 20;      ///< a larger report fails the job
  std::chrono::milliseconds publish_every{250}; ///< progress on the stream
  std::chrono::milliseconds store_every{2'000}; ///< progress in the database
};

/// The topic of a job on the event bus: events `progress` and `finished`, each with the job as `to_json` shows it.
std::string topic_of(const std::string& job_id);

/// Takes orders, runs them on threads of its own, and keeps what became of them as rows of the table `job`.
///
/// Jobs run on the node that took them; other nodes see their rows. A job is not taken up again after a restart: it is
/// marked `interrupted`, and whoever asked may ask again. Thread-safe.
class job_desk {
public:
  using view_receiver = std::function<void(result<job_view>)>;
  using views_receiver = std::function<void(result<std::vector<job_view>>)>;

  /// Everything outlives it; `bus` may be null.
  job_desk(storage::database& db, const clock& time, stream::event_bus* bus, node_id self,
           const job_options& options = {});
  ~job_desk();
  job_desk(const job_desk&) = delete;
  job_desk& operator=(const job_desk&) = delete;

  /// Makes a kind of work known. Before `start`.
  void add(job_work& work);
  /// Marks what an earlier life of this node left behind and starts the threads. Waits for the database.
  result<void> start();
  /// Calls off what runs and ends the threads. Waits for them.
  void stop();

  /// Takes an order; `done` is called once it is durable, or at once if it is refused. Errors: those of
  /// `job_work::check`, not_implemented (unknown kind), overloaded, unavailable, those of the database.
  void submit(job_order order, view_receiver done);
  /// Errors: not_found.
  void find(const tenant_id& tenant, const std::string& kind, const std::string& id, view_receiver done);
  /// The latest first, without their reports. `subject` empty: of all.
  void list(const tenant_id& tenant, const std::string& kind, const std::string& subject, std::int64_t limit,
            views_receiver done);
  /// Calls a job off; one that is over stays as it is. Answers with what it is then. Errors: not_found, conflict (it
  /// runs on another node).
  void call_off(const tenant_id& tenant, const std::string& kind, const std::string& id, view_receiver done);

private:
  struct open_job;
  using open_ptr = std::shared_ptr<open_job>;
  class progress;

  template <class F>
  void write(const std::string& job_id, storage::statement what, F then);
  void work();
  void run_one(const open_ptr& job);
  void finish(const open_ptr& job, result<json> outcome);
  void publish(const job_view& view, const char* event);
  void store(const job_view& view);
  open_ptr find_open(const std::string& id) const;

  storage::database& db_;
  const clock& time_;
  stream::event_bus* const bus_;
  const node_id self_;
  const job_options options_;
  std::map<std::string, job_work*, std::less<>> kinds_;

  mutable std::mutex guard_;
  std::condition_variable wake_;
  std::deque<open_ptr> waiting_;
  std::map<std::string, open_ptr> open_; ///< waiting and running
  std::size_t writes_open_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

} // namespace tobit::job
