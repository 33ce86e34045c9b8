#include "cluster/store/statement_lane.hpp"

#include "cluster/store/command_run.hpp"

#include <utility>

namespace tobit::cluster {

statement_lane::statement_lane(std::string name, opener open, answer_ticket answer)
    : open_(std::move(open)), answer_(std::move(answer)), session_(std::move(name)), thread_([this] { run(); }) {}

bool statement_lane::push(ticket_ptr ticket) {
  return queue_.push(ticket) == storage::work_queue<ticket_ptr>::verdict::taken;
}

void statement_lane::stop() {
  queue_.close();
  session_.break_for_good();
  if (thread_.joinable()) thread_.join();
}

void statement_lane::run() {
  session_.take(open_()); // before the first command: its time is short
  while (true) {
    auto taken = queue_.pop(1);
    if (taken.empty()) break;
    if (!taken[0]->answered()) carry_out(*taken[0]);
  }
  session_.drop();
}

void statement_lane::carry_out(command_ticket& ticket) {
  command_end end;
  for (int attempt = 0;; ++attempt) {
    if (!session_.get() && !session_.take(open_())) break;
    if (ticket.answered()) return; // connecting took too long
    end = run_transaction(*session_.get(), ticket);
    if (!end.session_lost) break;
    session_.drop();
    if (!end.untouched || attempt > 0 || ticket.answered()) break;
  }
  end.answer.id = ticket.id;
  answer_(ticket, std::move(end.answer));
}

} // namespace tobit::cluster
