#include "cluster/store/store_gateway.hpp"

#include "cluster/store/cluster_statements.hpp"
#include "cluster/store/deadline_watch.hpp"
#include "cluster/store/liveness_lane.hpp"
#include "cluster/store/statement_lane.hpp"
#include "runtime/storage/postgres_session.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

namespace tobit::cluster {

namespace {

/// The way out for everything that is told: one call at a time, and none after the end.
class event_outlet {
public:
  explicit event_outlet(store_events events) : events_(std::move(events)) {}

  void answered(database_answer answer) {
    std::lock_guard lock{guard_};
    if (open_ && events_.answered) events_.answered(std::move(answer));
  }
  void notified(cluster_version version) {
    std::lock_guard lock{guard_};
    if (open_ && events_.notified) events_.notified(version);
  }
  void told(const std::string& sentence) {
    std::lock_guard lock{guard_};
    if (open_ && events_.told) events_.told(sentence);
  }
  void session_lost(std::uint64_t closings) {
    std::lock_guard lock{guard_};
    if (open_ && closings == closings_ && events_.session_lost) events_.session_lost();
  }
  /// The liveness session is closed on purpose. Returns how many were closed by now.
  std::uint64_t session_closed() {
    std::lock_guard lock{guard_};
    return ++closings_;
  }
  void close() {
    std::lock_guard lock{guard_};
    open_ = false;
  }

private:
  std::mutex guard_;
  store_events events_;
  std::uint64_t closings_ = 0;
  bool open_ = true;
};

storage::database_options session_options(storage::database_options options, const cluster_times& times) {
  options.statement_timeout = times.command_timeout;
  options.forget_client_after = times.lease;
  options.busy_timeout = std::min(options.busy_timeout, times.lease); // for connecting
  return options;
}

/// Most commands hold the lock of `cluster_state`; a process that is stopped in the middle of one must not keep the
/// others from their changes for a whole lease.
template <class Session>
result<std::unique_ptr<Session>> hurried(result<std::unique_ptr<Session>> opened, std::chrono::milliseconds most) {
  if (!opened) return opened;
  auto set = (*opened)->script("SET idle_in_transaction_session_timeout = " + std::to_string(most.count()));
  if (!set) return fail(std::move(set.error().what));
  return opened;
}

class postgres_gateway final : public store_gateway {
public:
  postgres_gateway(const std::string& url, const storage::database_options& options, const cluster_times& times,
                   store_events events)
      : timeout_(times.command_timeout)
      , join_timeout_(std::max(times.command_timeout, times.lease - times.margin - times.command_timeout))
      , outlet_(std::move(events))
      , liveness_(
            [url, options] {
              return hurried(storage::open_postgres_listener(url, options, std::string{notify_channel}),
                             options.statement_timeout);
            },
            {answering(), [this](auto closings) { outlet_.session_lost(closings); },
             [this](auto version) { outlet_.notified(version); },
             [this](const auto& sentence) { outlet_.told(sentence); }})
      , renewals_("renewal", opening(url, options), answering())
      , work_("work", opening(url, options), answering()) {}

  ~postgres_gateway() override { stop(); }

  void run(std::uint64_t id, database_command command) override {
    // Joining has the longest way: a new session, a dozen statements that nobody has prepared. A far or busy server
    // must not end every attempt. What it may take still leaves time for a renewal before the lease is over.
    const auto patience = std::holds_alternative<register_node>(command) ? join_timeout_ : timeout_;
    auto ticket = std::make_shared<command_ticket>(id, std::move(command), command_ticket::clock::now() + patience);
    std::lock_guard lock{guard_};
    if (stopped_) return;
    watch_.add(ticket);
    if (!push(ticket)) watch_.hurry({std::move(ticket)});
  }

  void close_liveness_session() override {
    std::lock_guard lock{guard_};
    if (stopped_) return;
    watch_.hurry(liveness_.close(outlet_.session_closed()));
  }

  void stop() override {
    {
      std::lock_guard lock{guard_};
      if (std::exchange(stopped_, true)) return;
    }
    watch_.stop();
    outlet_.close();
    liveness_.stop();
    renewals_.stop();
    work_.stop();
  }

private:
  static statement_lane::opener opening(const std::string& url, const storage::database_options& options) {
    return [url, options] {
      return hurried(storage::open_postgres_session(url, options, storage::session_role::writer),
                     options.statement_timeout);
    };
  }
  answer_ticket answering() {
    return [this](command_ticket& ticket, database_answer answer) {
      if (!ticket.settle()) return false;
      outlet_.answered(std::move(answer));
      return true;
    };
  }
  bool push(ticket_ptr ticket) {
    const auto& command = ticket->command;
    if (std::holds_alternative<register_node>(command) || std::holds_alternative<resume_node>(command))
      return liveness_.push(std::move(ticket));
    return (std::holds_alternative<renew_lease>(command) ? renewals_ : work_).push(std::move(ticket));
  }

  const std::chrono::milliseconds timeout_, join_timeout_;
  event_outlet outlet_;
  std::mutex guard_;
  bool stopped_ = false;
  deadline_watch watch_{[this](const command_ticket& ticket, outcome result) {
    database_answer answer;
    answer.id = ticket.id;
    answer.result = result;
    outlet_.answered(std::move(answer));
  }};
  liveness_lane liveness_;
  statement_lane renewals_, work_;
};

} // namespace

std::unique_ptr<store_gateway> open_store_gateway(const std::string& url, const storage::database_options& options,
                                                  const cluster_times& times, store_events events) {
  return std::make_unique<postgres_gateway>(url, session_options(options, times), times, std::move(events));
}

} // namespace tobit::cluster
