#pragma once

#include "actors/rehearsal/course.hpp"
#include "runtime/entity/kind_registry.hpp"
#include "runtime/job/job.hpp"
#include "runtime/storage/database.hpp"
#include "schemas/ids.hpp"
#include "schemas/time.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tobit::rehearsal {

/// What a backtest is to replay. Written as JSON by the route, which has read the live definition.
struct backtest_order {
  tenant_id tenant;
  std::string rule_id;
  std::int64_t version = 0; ///< of the live definition
  json live;                ///< the definition that is live
  json changed;             ///< what to try instead, as users write it (only the fields that change); null: nothing
  utc_time from, to;        ///< arrival of the events; `to` is not part of it
  bool with_alerting = true;
  std::chrono::seconds warm_up{0}; ///< events before `from` that windows, patterns and baselines grow from

  /// Errors: validation_error with a pointer into the wish.
  static result<backtest_order> read(const job::job_order& order);
};

/// Longest range.
inline constexpr std::chrono::hours backtest_range_max{24 * 366};
/// Firings, alerts and notices listed in a report; all are counted.
inline constexpr std::size_t backtest_listed_max = 500;

/// What alerting would use: its present document, channels, silences.
struct alerting_setting {
  json document; ///< null: there is none
  std::vector<std::pair<std::string, json>> channels;
  std::vector<json> silences; ///< {matchers, starts_at, ends_at, …}
};
/// The silences are those that touch the range.
result<alerting_setting> load_alerting(storage::database& db, const tenant_id& tenant, utc_time from, utc_time to);

/// What a backtest saw.
struct replayed {
  std::int64_t events = 0, wanted = 0, batches = 0;
  std::chrono::microseconds took{0};
  std::optional<utc_time> log_begins_at; ///< nothing: the log is empty
  std::vector<std::string> remarks;      ///< for people: what the report cannot say
};

/// Replays stored events through the rule, and what it decides through alerting and channels. Waits; for a thread of
/// its own. Errors: validation_error (the rule takes no events), not_found, those of the database, unprocessable
/// (limits), unavailable (called off).
result<replayed> replay(storage::database& db, const entity::kind_registry& kinds, const backtest_order& order,
                        course& into, job::job_progress& progress);

/// Backtests as long work: replays, compares with what did happen, reports.
class backtest_work final : public job::job_work {
public:
  static constexpr std::string_view kind_name = "backtest";

  /// Both outlive it.
  backtest_work(storage::database& db, const entity::kind_registry& kinds) : db_(db), kinds_(kinds) {}

  std::string_view kind() const noexcept override { return kind_name; }
  result<json> check(const job::job_order& order) const override;
  result<json> run(const job::job_order& order, job::job_progress& progress) override;

private:
  storage::database& db_;
  const entity::kind_registry& kinds_;
};

} // namespace tobit::rehearsal
