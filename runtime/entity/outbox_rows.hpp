#pragma once

#include "runtime/entity/effect_handler.hpp"
#include "runtime/entity/effect_reports.hpp"
#include "runtime/entity/placement.hpp"
#include "runtime/storage/statement.hpp"

/// Reading and settling rows of the table `outbox`.
namespace tobit::entity {

/// Effects of shards that `owner` holds, due at `now`, oldest first.
storage::statement due_effects_query(const std::string& owner, utc_time now, std::size_t limit);
/// One row of `due_effects_query` as an effect; its attempt is the next one.
outgoing_effect read_effect(const std::vector<storage::value>& row);

/// All effects of a correlation: id, status, last error; in the order of the decision.
storage::statement correlated_effects_query(const std::string& correlation);

/// Whether the entity that wanted the effect is told of this end.
bool wants_report(const outgoing_effect& effect, const effect_outcome& outcome) noexcept;
/// Ends the effect for good; if a report is wanted, it is open from now on. Fails with `not_found` if it is settled
/// already, with `fenced` on a lost shard.
storage::unit_of_work unit_of_settling(const outgoing_effect& effect, const fence& right, const effect_outcome& outcome,
                                       utc_time now);
/// Keeps the effect for a later attempt.
storage::unit_of_work unit_of_postponing(const outgoing_effect& effect, const fence& right, const std::string& error,
                                         utc_time next);

/// What a settled effect's entity is told.
effect_settled report_of(const outgoing_effect& effect, const effect_outcome& outcome);

/// Open reports of shards that `owner` holds, due at `now`, oldest first.
storage::statement due_reports_query(const std::string& owner, utc_time now, std::size_t limit);
/// One row of `due_reports_query`.
open_report read_report(const std::vector<storage::value>& row);
/// An attempt to report failed: the next one is at `next`, or (nothing) there is none.
storage::unit_of_work unit_of_report(const std::string& effect_id, const fence& right, int attempts,
                                     std::optional<utc_time> next, const std::string& error);

/// Makes due at once what an earlier process of this node wrote and did not get to.
storage::statement resume_statement(const std::string& owner, utc_time now);
/// Makes due at once what an earlier owner of this shard wrote and did not get to.
storage::statement resume_shard_statement(shard_id shard, utc_time now);
/// Removes at most `limit` rows that were settled before `until`.
storage::statement purge_statement(utc_time until, std::size_t limit);

} // namespace tobit::entity
