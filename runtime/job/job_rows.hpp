#pragma once

#include "runtime/job/job.hpp"
#include "runtime/storage/statement.hpp"

/// The rows of the table `job`.
namespace tobit::job {

#define TOBIT_JOB_COLUMNS                                                                                              \
  "job_id, tenant, kind, subject, wish, created_by, created_at, started_at, finished_at, status, done, total, "        \
  "details, "                                                                                                          \
  "error_name, error"

storage::statement insert_job(const job_view& view, const node_id& node);
storage::statement update_job(const job_view& view);
/// Everything of this node that is not over, because the node is only starting now.
storage::statement interrupt_jobs(const node_id& node, utc_time now);
storage::statement select_job(const tenant_id& tenant, const std::string& kind, const std::string& id);
storage::statement select_jobs(const tenant_id& tenant, const std::string& kind, const std::string& subject,
                               std::int64_t limit);

/// From the columns above, and the report if there is one more.
job_view job_of_row(const std::vector<storage::value>& row);

} // namespace tobit::job
