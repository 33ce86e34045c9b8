#include "runtime/storage/postgres_session.hpp"

#include "runtime/storage/dialect.hpp"
#include "runtime/storage/postgres_listener.hpp"
#include "runtime/storage/postgres_url.hpp"
#include "runtime/storage/postgres_value.hpp"

#include <pqxx/pqxx>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <fcntl.h>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>
#include <unordered_map>
#include <utility>

namespace tobit::storage {

namespace {

// As for SQLite: only literals come here, the bound is for the day when somebody builds texts.
constexpr std::size_t prepared_max = 1'000;
// Of one message to the server.
constexpr std::size_t message_bytes_max = 16u << 20;

session_failure lost() {
  return {
      error{error_code::database_error,
            "The connection to the PostgreSQL server is lost. The node connects again by itself; check that it runs."},
      blame::connection};
}

/// What an SQLSTATE means (https://www.postgresql.org/docs/15/errcodes-appendix.html).
session_failure failure_of_state(const std::string& state, std::string_view text, std::string_view sql) {
  text = text.substr(0, text.find('\n')); // the lines below hold values, which may be secrets
  if (state == "23505") return {error{error_code::conflict}, blame::statement};
  if (state == "57014")
    return {error{error_code::deadline_exceeded, "The database did not answer in time."}, blame::statement};
  if (state.starts_with("40") || state == "55P03") return {error{error_code::database_error}, blame::contention};
  if (state == "53100")
    return {error{error_code::storage_full, "The disk of the database server is full."}, blame::database};
  if (state == "25006")
    return {error{error_code::database_error,
                  "The PostgreSQL server is read-only (a standby?); point the node at the primary."},
            blame::connection};
  if ((state.starts_with("08") && state != "08P01") || state.starts_with("57P")) return lost();
  if (state.starts_with("53") || state.starts_with("58") || state.starts_with("XX")) {
    spdlog::error("storage.server_trouble state={} {}", state, text);
    return {error{error_code::database_error, "The PostgreSQL server has trouble; its log tells more."},
            blame::connection};
  }
  spdlog::error("storage.statement_failed state={} {} in: {}", state, text, sql);
  return {error{error_code::internal_server_error, "A statement failed; the log holds the details."}, blame::statement};
}

/// Where the library puts what is heard on a channel; it sends LISTEN by itself.
class notification_ear final : public pqxx::notification_receiver {
public:
  notification_ear(pqxx::connection& connection, const std::string& channel)
      : pqxx::notification_receiver(connection, channel) {}
  void operator()(const std::string& payload, int) override { heard.push_back(payload); }
  std::vector<std::string> heard;
};

/// A second descriptor of a connection's socket. The library closes its own when the connection is lost, and its number
/// may be somebody else's at once.
class socket_copy {
public:
  explicit socket_copy(int of) : fd_(::fcntl(of, F_DUPFD_CLOEXEC, 0)) {
    if (fd_ < 0) throw std::runtime_error("no file descriptors are left");
  }
  ~socket_copy() { ::close(fd_); }
  socket_copy(const socket_copy&) = delete;
  socket_copy& operator=(const socket_copy&) = delete;
  int get() const noexcept { return fd_; }

private:
  const int fd_;
};

class postgres_session final : public postgres_listener {
public:
  explicit postgres_session(std::unique_ptr<pqxx::connection> connection)
      : connection_(std::move(connection))
      , socket_(connection_->sock())
      , channel_(std::make_unique<pqxx::nontransaction>(*connection_)) {}

  // Without a connection the ear does not send UNLISTEN, which could wait, or even connect again.
  ~postgres_session() override {
    channel_.reset();
    connection_->disconnect();
  }

  void listen(const std::string& channel) { ear_ = std::make_unique<notification_ear>(*connection_, channel); }
  int descriptor() const noexcept override { return socket_.get(); }

  session_result<std::vector<std::string>> heard() override {
    return guarded<std::vector<std::string>>("LISTEN", [&] {
      channel_.reset(); // while there is one, the library holds notifications back
      connection_->get_notifs();
      channel_ = std::make_unique<pqxx::nontransaction>(*connection_);
      return ear_ ? std::exchange(ear_->heard, {}) : std::vector<std::string>{};
    });
  }

  void interrupt() noexcept override { ::shutdown(socket_.get(), SHUT_RDWR); }

  session_result<void> begin() override {
    auto begun = script("BEGIN");
    in_transaction_ = begun.has_value();
    return begun;
  }

  session_result<void> commit() override {
    auto done = script("COMMIT");
    in_transaction_ = false;
    // The server may have committed before the answer got lost.
    if (!done && done.error().whose == blame::connection) {
      done.error().outcome_unknown = true;
      done.error().what.message = std::string(outcome_unknown_sentence);
    }
    return done;
  }

  void rollback() noexcept override {
    if (std::exchange(in_transaction_, false)) (void)script("ROLLBACK");
  }

  session_result<step_outcome> run(const statement& what) override {
    return guarded<step_outcome>(what.sql, [&] {
      const postgres_params params{what.params};
      const auto answer =
          channel_->exec_prepared(prepared(what.sql), pqxx::prepare::make_dynamic_params(params.pointers()));
      return to_step(answer);
    });
  }

  /// All statements of all units go to the server in one message, and their results come back in one: a round trip each
  /// would cost more than the work. Whether they met their expectations shows afterwards, before the commit.
  session_result<std::vector<write_outcome>> run_units(const std::vector<const unit_of_work*>& units) override {
    // A statement can often be prepared only after those before it, when they make the table it is about.
    if (!all_prepared(units)) return session::run_units(units);
    std::vector<write_outcome> outcomes;
    outcomes.reserve(units.size());
    for (std::size_t next = 0; next < units.size();) {
      const auto first = next;
      std::vector<std::string> calls;
      auto written = guarded<bool>("EXECUTE …", [&] {
        for (std::size_t bytes = 0; next < units.size() && bytes < message_bytes_max; ++next)
          for (const auto& what : units[next]->statements) bytes += calls.emplace_back(execute_call(what)).size();
        return true;
      });
      if (!written) return tl::unexpected(std::move(written.error()));
      if (auto done = run_calls(calls, units, first, next, outcomes); !done)
        return tl::unexpected(std::move(done.error()));
    }
    return outcomes;
  }

  session_result<void> script(std::string_view sql) override {
    auto done = guarded<bool>(sql, [&] { return channel_->exec(std::string(sql)), true; });
    if (!done) return tl::unexpected(std::move(done.error()));
    return {};
  }

private:
  bool all_prepared(const std::vector<const unit_of_work*>& units) const {
    for (const auto* unit : units)
      for (const auto& what : unit->statements)
        if (!names_.contains(what.sql)) return false;
    return true;
  }

  std::string execute_call(const statement& what) {
    auto call = "EXECUTE " + prepared(what.sql);
    const postgres_params params{what.params};
    char before = '(';
    for (const char* text : params.pointers()) {
      call.push_back(std::exchange(before, ','));
      // A quoted literal takes the type of the parameter.
      call.append(text ? channel_->quote(text) : "NULL");
    }
    if (before == ',') call.push_back(')');
    return call;
  }

  session_result<void> run_calls(const std::vector<std::string>& calls, const std::vector<const unit_of_work*>& units,
                                 std::size_t first, std::size_t end, std::vector<write_outcome>& outcomes) {
    std::optional<session_failure> unmet;
    auto done = guarded<bool>("EXECUTE …", [&] {
      pqxx::pipeline pipe{*channel_};
      pipe.retain(static_cast<int>(calls.size()) + 1);
      std::vector<pqxx::pipeline::query_id> numbers;
      numbers.reserve(calls.size());
      for (const auto& call : calls) numbers.push_back(pipe.insert(call));
      pipe.complete();
      auto number = numbers.begin();
      for (auto i = first; i < end; ++i) {
        auto& outcome = outcomes.emplace_back();
        for (const auto& what : units[i]->statements) {
          auto step = to_step(pipe.retrieve(*number++));
          if (auto met = check_expectation(what, step.affected); !met && !unmet) unmet = std::move(met.error());
          outcome.affected.push_back(step.affected);
          outcome.returned.push_back(std::move(step.returned));
        }
      }
      return true;
    });
    if (!done) return tl::unexpected(std::move(done.error()));
    if (unmet) return tl::unexpected(std::move(*unmet));
    return {};
  }

  static step_outcome to_step(const pqxx::result& answer) {
    step_outcome outcome;
    if (answer.columns() > 0) outcome.returned = to_rows(answer);
    // A SELECT's command tag counts its rows too.
    outcome.affected = static_cast<std::int64_t>(answer.columns() > 0 ? answer.size() : answer.affected_rows());
    return outcome;
  }

  /// The name under which the server knows the statement; prepared at its first use.
  const std::string& prepared(std::string_view sql) {
    if (auto known = names_.find(sql); known != names_.end()) return known->second;
    if (names_.size() >= prepared_max) {
      channel_->exec("DEALLOCATE ALL");
      names_.clear();
    }
    auto name = "s" + std::to_string(++prepared_count_);
    connection_->prepare(name, to_dialect(sql, dialect::postgresql));
    // The library prepares at the first execution; doing it here makes a wrong text fail before it has a name.
    connection_->prepare_now(name);
    return names_.emplace(sql, std::move(name)).first->second;
  }

  template <class T, class Work>
  session_result<T> guarded(std::string_view sql, Work work) {
    // The library would silently connect anew, and what the session held would be gone.
    if (!connection_->is_open()) return tl::unexpected(lost());
    try {
      return work();
    } catch (const pqxx::broken_connection& e) {
      // The library says this for all of class 08, also for a wrong number of parameters (08P01).
      if (!connection_->is_open()) return tl::unexpected(lost());
      return tl::unexpected(failure_of_state("08P01", e.what(), sql));
    } catch (const pqxx::transaction_rollback&) {
      return tl::unexpected(session_failure{
          error{error_code::database_error, "The database could not bring simultaneous changes in order; try again."},
          blame::contention});
    } catch (const pqxx::sql_error& e) {
      if (!connection_->is_open()) return tl::unexpected(lost());
      return tl::unexpected(failure_of_state(e.sqlstate(), e.what(), sql));
    } catch (const std::exception& e) {
      if (!connection_->is_open()) return tl::unexpected(lost());
      spdlog::error("storage.client_failed {} in: {}", e.what(), sql);
      return tl::unexpected(session_failure{error{error_code::internal_server_error}, blame::statement});
    }
  }

  std::unique_ptr<pqxx::connection> connection_;
  const socket_copy socket_;
  std::unique_ptr<pqxx::nontransaction> channel_; // in front of it: transactions are begun and ended by hand
  std::unique_ptr<notification_ear> ear_;
  std::unordered_map<std::string_view, std::string> names_;
  std::uint64_t prepared_count_ = 0;
  bool in_transaction_ = false;
};

std::string with_timeouts(std::string url, const database_options& options) {
  // The client library takes less than two seconds for two.
  const auto connect = std::min(options.busy_timeout, options.forget_client_after.value_or(options.busy_timeout));
  const auto connect_s = std::max<std::int64_t>(2, connect.count() / 1'000);
  url = with_parameter(std::move(url), "connect_timeout", std::to_string(connect_s));
  url = with_parameter(std::move(url), "application_name", "tobit");
  // A server that vanished without a word is noticed by the kernel, in about the same time for idle and busy
  // connections: after `idle` seconds without a word it asks `count` times.
  std::int64_t idle = 10, interval = 5, count = 3, silence_ms = 20'000;
  if (options.forget_client_after) {
    silence_ms = options.forget_client_after->count();
    interval = std::max<std::int64_t>(1, silence_ms / 3'000);
    idle = interval;
    count = 2;
  }
  url = with_parameter(std::move(url), "keepalives_idle", std::to_string(idle));
  url = with_parameter(std::move(url), "keepalives_interval", std::to_string(interval));
  url = with_parameter(std::move(url), "keepalives_count", std::to_string(count));
  return with_parameter(std::move(url), "tcp_user_timeout", std::to_string(silence_ms));
}

std::string settings(const database_options& options, session_role role) {
  std::string sql = "SET client_encoding = 'UTF8'; SET bytea_output = 'hex'; SET TimeZone = 'UTC';"
                    "SET client_min_messages = error; SET extra_float_digits = 1;"
                    "SET statement_timeout = " +
                    std::to_string(options.statement_timeout.count());
  if (options.forget_client_after) {
    const auto ms = std::to_string(options.forget_client_after->count());
    for (const char* name : {"idle_in_transaction_session_timeout", "tcp_user_timeout", "lock_timeout"})
      sql.append("; SET ").append(name).append(" = ").append(ms);
  }
  if (role == session_role::reader) sql += "; SET default_transaction_read_only = on";
  return sql;
}

error refused(std::string_view reason, const std::string& url) {
  auto text = redact(std::string(reason), url);
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return {error_code::connection_error, "No connection to the database " + without_secrets(url) + " (" + text +
                                            "); check that the server runs and that the database URL is right."};
}

result<std::unique_ptr<postgres_session>> open_session(const std::string& url, const database_options& options,
                                                       session_role role, const std::string* channel) {
  try {
    auto connection = std::make_unique<pqxx::connection>(with_timeouts(url, options));
    auto opened = std::make_unique<postgres_session>(std::move(connection));
    if (auto set = opened->script(settings(options, role)); !set) return fail(std::move(set.error().what));
    if (channel) opened->listen(*channel);
    return opened;
  } catch (const std::exception& e) {
    return fail(refused(e.what(), url));
  }
}

} // namespace

result<std::unique_ptr<session>> open_postgres_session(const std::string& url, const database_options& options,
                                                       session_role role) {
  auto opened = open_session(url, options, role, nullptr);
  if (!opened) return fail(std::move(opened.error()));
  return std::unique_ptr<session>{std::move(*opened)};
}

result<std::unique_ptr<postgres_listener>>
open_postgres_listener(const std::string& url, const database_options& options, const std::string& channel) {
  auto opened = open_session(url, options, session_role::writer, &channel);
  if (!opened) return fail(std::move(opened.error()));
  return std::unique_ptr<postgres_listener>{std::move(*opened)};
}

} // namespace tobit::storage
