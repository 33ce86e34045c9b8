#pragma once

#include "schemas/error.hpp"
#include "schemas/ids.hpp"
#include "schemas/json.hpp"
#include "schemas/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Long work that somebody asked for and looks at later: it has an id, progress, a report, and can be called off.
namespace tobit::job {

/// What somebody wants done.
struct job_order {
  std::string kind; ///< e.g. "backtest"
  tenant_id tenant;
  std::string subject; ///< what it is about, e.g. a rule's id
  json wish;           ///< what the kind of work needs
  std::string by;      ///< who asked
};

/// One job as people see it.
struct job_view {
  std::string id;
  job_order order;
  /// waiting | running | done | failed | cancelled | interrupted (the node stopped or died)
  std::string status;
  utc_time created_at;
  std::optional<utc_time> started_at, finished_at;
  std::int64_t done = 0, total = 0; ///< units of the work; total 0: not known yet
  json details;                     ///< of the progress; null: nothing to say
  json report;                      ///< of a job that is done; null: none
  std::optional<error> failure;

  bool over() const noexcept { return status != "waiting" && status != "running"; }
};
/// For people and streams. Without the wish, which may hold secrets.
json to_json(const job_view& job);

/// Where work reports how far it is. Thread-safe; cheap enough to be called often.
class job_progress {
public:
  virtual ~job_progress() = default;
  virtual void report(std::int64_t done, std::int64_t total, json details = nullptr) = 0;
  /// The work should end soon; what it returns then does not matter.
  virtual bool called_off() const noexcept = 0;
};

/// One kind of long work. Thread-safe.
class job_work {
public:
  virtual ~job_work() = default;
  virtual std::string_view kind() const noexcept = 0;
  /// Checks an order before it is taken, quickly and without waiting; gives the wish as it will be kept. Errors: what
  /// is wrong with it, with a pointer.
  virtual result<json> check(const job_order& order) const = 0;
  /// Does it, on a thread for long work, and gives the report. Looks at `called_off` at least every second.
  virtual result<json> run(const job_order& order, job_progress& progress) = 0;
};

} // namespace tobit::job
