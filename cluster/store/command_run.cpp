#include "cluster/store/command_run.hpp"

#include <spdlog/spdlog.h>

#include <utility>

namespace tobit::cluster {

namespace {

database_answer plain_answer(const command_ticket& ticket, outcome result, refusal why = refusal::none) {
  database_answer answer;
  answer.id = ticket.id;
  answer.result = result;
  answer.why = why;
  return answer;
}

command_end failure_end(const command_ticket& ticket, const storage::session_failure& failure) {
  using storage::blame;
  command_end end;
  end.answer = plain_answer(ticket, failure.outcome_unknown ? outcome::unknown : outcome::failed);
  end.session_lost = failure.whose == blame::connection;
  end.untouched = end.session_lost && !failure.outcome_unknown;
  if (failure.whose == blame::database || failure.outcome_unknown)
    spdlog::warn("cluster.command_failed command={} {}", name_of(ticket.command), failure.what.text());
  return end;
}

/// Nothing: the condition holds, go on.
std::optional<command_end> run_step(storage::session& on, const command_step& step, const command_ticket& ticket,
                                    database_answer& answer) {
  auto done = on.run(step.sql);
  if (!done) return failure_end(ticket, done.error());
  take_rows(step, done->returned, answer);
  if (!step.sql.expect_rows || done->affected == *step.sql.expect_rows) return std::nullopt;
  command_end end;
  end.answer = plain_answer(ticket, outcome::refused, step.unless);
  return end;
}

} // namespace

command_end run_alone(storage::session& on, const command_step& step, command_ticket& ticket, database_answer into) {
  if (auto ended = run_step(on, step, ticket, into)) return std::move(*ended);
  command_end end;
  end.answer = std::move(into);
  end.answer.id = ticket.id;
  end.answer.result = outcome::done;
  return end;
}

command_end run_transaction(storage::session& on, command_ticket& ticket, incarnation_no drawn) {
  if (auto begun = on.begin(); !begun) return failure_end(ticket, begun.error());
  command_end end;
  end.answer = plain_answer(ticket, outcome::done);
  end.answer.incarnation = drawn;
  for (const auto& step : transaction_of(ticket.command, drawn)) {
    // Its time may be over after any statement; then the session should be free soon.
    std::optional<command_end> ended;
    if (ticket.answered()) ended = command_end{plain_answer(ticket, outcome::failed)};
    if (!ended) ended = run_step(on, step, ticket, end.answer);
    if (!ended) continue;
    if (!ended->session_lost) on.rollback();
    return std::move(*ended);
  }
  if (!ticket.begin_commit()) {
    on.rollback();
    return command_end{plain_answer(ticket, outcome::failed)};
  }
  if (auto committed = on.commit(); !committed) {
    auto ended = failure_end(ticket, committed.error());
    ended.untouched = false; // its commit was sent
    return ended;
  }
  return end;
}

} // namespace tobit::cluster
