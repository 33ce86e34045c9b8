#include "runtime/storage/promotion.hpp"

#include "runtime/storage/lock_file.hpp"
#include "runtime/storage/migration.hpp"
#include "runtime/storage/postgres_session.hpp"
#include "runtime/storage/postgres_url.hpp"
#include "runtime/storage/promotion_table.hpp"
#include "runtime/storage/sqlite_session.hpp"
#include "schemas/sql/migrations.hpp"

#include <algorithm>
#include <deque>
#include <filesystem>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <utility>

namespace tobit::storage {

namespace {

constexpr std::int64_t before_all = std::numeric_limits<std::int64_t>::min();

error configuration(std::string sentence) { return {error_code::configuration_error, std::move(sentence)}; }

template <class T>
result<T> told(session_result<T> from) {
  if (from) return std::move(*from);
  return fail(std::move(from.error().what));
}
result<void> told(session_result<void> from) {
  if (from) return {};
  return fail(std::move(from.error().what));
}

class promotion {
public:
  promotion(std::string path, std::string url, const std::function<void(const promotion_progress&)>& tell)
      : path_(std::filesystem::absolute(path).lexically_normal().string()), url_(std::move(url)), tell_(tell) {}

  result<promotion_report> run() {
    using stage = result<void> (promotion::*)();
    for (stage next : {&promotion::open_source, &promotion::open_target, &promotion::find_tables, &promotion::begin,
                       &promotion::copy, &promotion::check, &promotion::finish})
      if (auto done = (this->*next)(); !done) return fail(done.error());
    return report_;
  }

private:
  struct step {
    std::int64_t last = before_all;
    std::size_t copied = 0;
  };

  result<rows> ask(session& of, std::string_view sql, std::vector<value> params = {}) {
    auto found = of.run({sql, std::move(params)});
    if (!found) return fail(std::move(found.error().what));
    return std::move(found->returned);
  }
  result<void> order(std::string_view sql, std::vector<value> params = {}) {
    auto done = ask(*target_, sql, std::move(params));
    if (!done) return fail(done.error());
    return {};
  }
  static std::set<std::string> first_column(const rows& from) {
    std::set<std::string> all;
    for (const auto& row : from.values) all.insert(as_text(row[0]));
    return all;
  }

  result<void> open_source() {
    if (!std::filesystem::is_regular_file(path_))
      return fail(configuration("There is no SQLite store '" + path_ + "'; name the data folder of the stopped node."));
    auto lock = hold_lock_file(path_ + ".lock");
    if (!lock) return fail(lock.error());
    lock_ = std::move(*lock);
    database_options options;
    options.statement_timeout = std::chrono::minutes{10};
    auto opened = open_sqlite_read_only(path_, options);
    if (!opened) return fail(opened.error());
    source_ = std::move(*opened);
    auto steps = ask(*source_, "SELECT name FROM migration");
    if (!steps) return fail(configuration("'" + path_ + "' is not a store of Tobit."));
    if (first_column(*steps) != known_steps())
      return fail(configuration("The store '" + path_ +
                                "' was made by another release. Start and stop a node of this release on it once, "
                                "which brings it up to date; then repeat this."));
    return {};
  }

  static std::set<std::string> known_steps() {
    std::set<std::string> names;
    for (const auto& known : sql::migrations()) names.emplace(known.name);
    return names;
  }

  result<void> open_target() {
    database_options options;
    options.statement_timeout = std::chrono::minutes{10};
    auto opened =
        open_postgres_session(with_parameter(url_, "application_name", "tobit-promote"), options, session_role::writer);
    if (!opened) return fail(configuration(std::string{opened.error().text()}));
    target_ = std::move(*opened);
    // Until this session ends.
    auto alone = ask(*target_, "SELECT 1 WHERE pg_try_advisory_lock("
                               "hashtextextended('tobit.promotion.' || current_schema(), 0))");
    if (!alone) return fail(alone.error());
    if (alone->empty()) return fail(configuration("Another `tobit promote` copies into this database."));
    auto found = ask(*target_, "SELECT 1 WHERE to_regclass('migration') IS NOT NULL");
    if (!found) return fail(found.error());
    if (found->empty()) return migrate(*target_, dialect::postgresql);
    auto steps = ask(*target_, "SELECT name FROM migration");
    if (!steps) return fail(steps.error());
    auto names = first_column(*steps);
    marked_ = names.erase(std::string{promotion_mark}) > 0;
    if (!marked_) return migrate(*target_, dialect::postgresql);
    if (names != known_steps())
      return fail(configuration("A copy into this database was begun by another release; empty it and start again."));
    return {};
  }

  result<void> find_tables() {
    auto tables = ask(*source_, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
                                " AND name <> 'migration' ORDER BY name");
    if (!tables) return fail(tables.error());
    for (const auto& name : first_column(*tables)) {
      auto columns = ask(*target_,
                         "SELECT column_name::text, data_type::text FROM information_schema.columns"
                         " WHERE table_schema = current_schema() AND table_name = $1 ORDER BY ordinal_position",
                         {name});
      if (!columns) return fail(columns.error());
      if (columns->empty())
        return fail(configuration("The source has the table '" + name + "', which is not Tobit's."));
      using kind = promotion_table::kind;
      std::vector<promotion_table::column> all;
      for (const auto& row : columns->values) {
        const auto& type = as_text(row[1]);
        all.push_back({as_text(row[0]), type == "bytea" ? kind::bytes : type == "text" ? kind::text : kind::number});
      }
      tables_.push_back(std::make_unique<promotion_table>(name, std::move(all)));
      texts_.push_back("SELECT count(*) FROM \"" + name + "\"");
      auto count = ask(*source_, texts_.back());
      if (!count) return fail(count.error());
      total_ += static_cast<std::size_t>(as_int((*count)[0][0]));
    }
    report_.tables = tables_.size();
    return {};
  }

  result<void> refuse_rows() {
    for (const auto& table : tables_) {
      if (table->name() == "cluster_state" || table->name() == "cluster_leader") continue; // begin with a row
      texts_.push_back("SELECT 1 FROM \"" + table->name() + "\" LIMIT 1");
      auto some = ask(*target_, texts_.back());
      if (!some) return fail(some.error());
      if (!some->empty())
        return fail(configuration("The PostgreSQL store is not empty: the table " + table->name() +
                                  " has rows. Name an empty database. (`tobit cluster init` comes after this.)"));
    }
    return {};
  }

  result<void> begin() {
    if (marked_) return resume();
    if (auto empty = refuse_rows(); !empty) return empty;
    if (auto begun = told(target_->begin()); !begun) return begun;
    const auto mark = [&]() -> result<void> {
      for (const auto& table : tables_)
        if (auto done = told(target_->script("DELETE FROM \"" + table->name() + "\"")); !done) return done;
      if (auto done = told(target_->script("CREATE TABLE promotion (table_name TEXT PRIMARY KEY, source TEXT NOT NULL,"
                                           " last_row BIGINT NOT NULL, copied BIGINT NOT NULL)"));
          !done)
        return done;
      for (const auto& table : tables_)
        if (auto done = order("INSERT INTO promotion (table_name, source, last_row, copied) VALUES ($1, $2, $3, 0)",
                              {table->name(), path_, before_all});
            !done)
          return done;
      return order("INSERT INTO migration (name, applied_at) VALUES ($1, 0)", {std::string{promotion_mark}});
    };
    return end_transaction(mark());
  }

  result<void> end_transaction(result<void> outcome) {
    if (outcome) return told(target_->commit());
    target_->rollback();
    return outcome;
  }

  result<void> resume() {
    auto from = ask(*target_, "SELECT table_name, source, last_row, copied FROM promotion");
    if (!from) return fail(from.error());
    for (const auto& row : from->values) {
      if (as_text(row[1]) != path_)
        return fail(configuration("A copy from '" + as_text(row[1]) +
                                  "' was begun in this database; finish that one, or name an empty database."));
      steps_[as_text(row[0])] = {as_int(row[2]), static_cast<std::size_t>(as_int(row[3]))};
      report_.rows_before += static_cast<std::size_t>(as_int(row[3]));
    }
    return {};
  }

  result<void> copy() {
    auto done = report_.rows_before;
    for (auto& table : tables_) {
      auto& at = steps_[table->name()];
      while (true) {
        auto batch = told(table->read_batch(*source_, at.last));
        if (!batch) return fail(batch.error());
        if (batch->empty()) break;
        const auto last = as_int(batch->values.back()[0]);
        if (auto written = write(*table, *batch, last); !written) return written;
        at.last = last;
        done += batch->size();
        tell_({promotion_progress::phase::copying, done, total_});
      }
    }
    return {};
  }

  result<void> write(promotion_table& table, const rows& batch, std::int64_t last) {
    if (auto begun = told(target_->begin()); !begun) return begun;
    auto outcome = told(table.write(*target_, batch));
    if (outcome)
      outcome = order("UPDATE promotion SET last_row = $2, copied = copied + $3 WHERE table_name = $1",
                      {table.name(), last, static_cast<std::int64_t>(batch.size())});
    return end_transaction(std::move(outcome));
  }

  result<void> check() {
    std::size_t done = 0;
    const auto seen = [&](std::size_t more) {
      done += more;
      tell_({promotion_progress::phase::checking, done / 2, total_}); // each row is read on both sides
    };
    for (auto& table : tables_) {
      rows_digest expected;
      for (auto last = before_all;;) {
        auto batch = told(table->read_batch(*source_, last));
        if (!batch) return fail(batch.error());
        if (batch->empty()) break;
        for (const auto& row : batch->values) expected.add(row, 1);
        last = as_int(batch->values.back()[0]);
        seen(batch->size());
      }
      if (auto begun = told(target_->begin()); !begun) return begun;
      auto found = told(table->digest_target(*target_, seen));
      target_->rollback();
      if (!found) return fail(found.error());
      if (*found != expected)
        return fail(error_code::conflict,
                    "The copy of the table " + table->name() +
                        " is not like the source: " + std::to_string(found->rows) + " rows of " +
                        std::to_string(expected.rows) + (found->rows == expected.rows ? ", with other contents" : "") +
                        ". Did a node run on the source in between? Empty the database and start again.");
      report_.rows += expected.rows;
    }
    return {};
  }

  result<void> finish() {
    if (auto begun = told(target_->begin()); !begun) return begun;
    auto outcome = order("DELETE FROM migration WHERE name = $1", {std::string{promotion_mark}});
    if (outcome) outcome = told(target_->script("DROP TABLE promotion"));
    if (auto done = end_transaction(std::move(outcome)); !done) return done;
    (void)target_->script("ANALYZE"); // the planner knows nothing of the new rows yet; without it, it learns later
    return {};
  }

  const std::string path_, url_;
  const std::function<void(const promotion_progress&)>& tell_;
  std::shared_ptr<void> lock_;
  std::deque<std::string> texts_; ///< of statements: sessions keep references to them
  std::vector<std::unique_ptr<promotion_table>> tables_;
  std::unique_ptr<session> source_, target_;
  std::map<std::string, step> steps_;
  bool marked_ = false; ///< an earlier run has begun
  std::size_t total_ = 0;
  promotion_report report_;
};

} // namespace

result<promotion_report> promote(const std::string& sqlite_path, const std::string& postgres_url,
                                 const std::function<void(const promotion_progress&)>& tell) {
  return promotion{sqlite_path, postgres_url, tell}.run();
}

} // namespace tobit::storage
