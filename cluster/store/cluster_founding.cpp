#include "cluster/store/cluster_founding.hpp"

#include "runtime/storage/database.hpp"
#include "runtime/storage/postgres_url.hpp"

#include <charconv>

namespace tobit::cluster {

namespace {

error already(const std::string& id) {
  return {error_code::configuration_error,
          "The database belongs to the cluster " + id +
              " already. `tobit cluster certificate` adds a node to it; for another cluster name another database."};
}

result<storage::rows> ask(storage::database& store, std::string_view sql) { return store.read_and_wait({sql, {}}); }

/// Sessions of nodes carry this name (`open_postgres_session`); ours has another one.
result<void> refuse_running(storage::database& store) {
  auto found = ask(store, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                          " AND application_name = 'tobit'");
  if (!found) return fail(found.error());
  if (storage::as_int((*found)[0][0]) == 0) return {};
  return fail(error_code::configuration_error,
              "A node of Tobit is connected to this database; stop it first, so that its work is stored.");
}

result<void> refuse_second(storage::database& store) {
  auto found = ask(store, "SELECT value FROM cluster_value WHERE name = 'cluster_id'");
  if (!found) return fail(found.error());
  if (!found->empty()) return fail(already(storage::as_text((*found)[0][0])));
  return {};
}

result<void> write(storage::database& store, const std::string& cluster_id, entity::shard_id shards) {
  storage::unit_of_work unit;
  unit.statements.push_back({"INSERT INTO cluster_value (name, value) VALUES ('cluster_id', $1)", {cluster_id}});
  unit.statements.push_back({"INSERT INTO cluster_value (name, value) VALUES ('shard_count', $1)"
                             " ON CONFLICT (name) DO NOTHING",
                             {std::to_string(shards)}});
  // The next epoch keeps out whatever still runs as a single node.
  unit.statements.push_back({"UPDATE shard SET owner = '', incarnation = 0, target = 0, epoch = epoch + 1", {}});
  auto done = store.write_and_wait(std::move(unit));
  if (done) return {};
  if (done.error().code == error_code::conflict) return refuse_second(store); // somebody else was faster
  return fail(done.error());
}

} // namespace

result<founded_cluster> found_cluster(const std::string& url, const std::string& cluster_id, entity::shard_id shards) {
  if (!url.starts_with("postgresql://") && !url.starts_with("postgres://"))
    return fail(error_code::configuration_error,
                "A cluster keeps its rows in PostgreSQL: name it as postgresql://user:password@host/name. `tobit "
                "promote` moves an SQLite store there.");
  storage::database_options options;
  options.readers = options.writers = 1;
  auto store = storage::open_postgres(storage::with_parameter(url, "application_name", "tobit-cluster-init"), options);
  if (!store) return fail(error_code::configuration_error, std::string{store.error().text()});
  if (auto fresh = refuse_second(**store); !fresh) return fail(fresh.error());
  if (auto alone = refuse_running(**store); !alone) return fail(alone.error());
  auto before = ask(**store, "SELECT value FROM cluster_value WHERE name = 'shard_count'");
  if (!before) return fail(before.error());
  founded_cluster founded{shards, !before->empty()};
  if (founded.had_rows) {
    const auto& text = storage::as_text((*before)[0][0]);
    std::from_chars(text.data(), text.data() + text.size(), founded.shard_count);
  }
  if (auto written = write(**store, cluster_id, founded.shard_count); !written) return fail(written.error());
  return founded;
}

} // namespace tobit::cluster
