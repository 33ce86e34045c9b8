#include "runtime/entity/single_node_placement.hpp"

#include <charconv>

namespace tobit::entity {

namespace {

constexpr shard_id shard_count_most = 65'536;

result<shard_id> parse_count(const std::string& text) {
  shard_id count = 0;
  const auto end = text.data() + text.size();
  if (auto [at, problem] = std::from_chars(text.data(), end, count);
      problem != std::errc{} || at != end || count == 0 || count > shard_count_most)
    return fail(error_code::configuration_error,
                "The store's shard_count '" + text + "' is damaged; restore cluster_value from a backup.");
  return count;
}

} // namespace

single_node_placement::single_node_placement(storage::database& db, node_id self, shard_id count)
    : db_(db), self_(std::move(self)), count_(count) {}

result<std::unique_ptr<single_node_placement>> single_node_placement::open(storage::database& db, node_id self,
                                                                           shard_id wanted) {
  auto owner = db.read_and_wait({"SELECT value FROM cluster_value WHERE name = 'cluster_id'", {}});
  if (!owner) return fail(owner.error());
  if (!owner->empty())
    return fail(error_code::configuration_error,
                "This store belongs to the cluster " + storage::as_text((*owner)[0][0]) +
                    ", which a single node would disturb; start with the configuration that `tobit cluster init` made "
                    "for this node (cluster.listen, cluster.id), or name another database.");
  storage::unit_of_work remember;
  remember.statements.push_back(
      {"INSERT INTO cluster_value (name, value) VALUES ('shard_count', $1) ON CONFLICT (name) DO NOTHING",
       {std::to_string(wanted)}});
  if (auto stored = db.write_and_wait(std::move(remember)); !stored) return fail(stored.error());
  auto found = db.read_and_wait({"SELECT value FROM cluster_value WHERE name = 'shard_count'", {}});
  if (!found) return fail(found.error());
  if (found->empty()) return fail(error_code::database_error, "The store lost its shard count.");
  auto count = parse_count(storage::as_text((*found)[0][0]));
  if (!count) return fail(count.error());
  return std::unique_ptr<single_node_placement>(new single_node_placement(db, std::move(self), *count));
}

result<std::vector<fence>> single_node_placement::take_shards() {
  storage::unit_of_work take;
  for (shard_id shard = 0; shard < count_; ++shard)
    take.statements.push_back({"INSERT INTO shard (id, owner, epoch) VALUES ($1, $2, 1)"
                               " ON CONFLICT (id) DO UPDATE SET owner = $2, epoch = shard.epoch + 1 RETURNING epoch",
                               {std::int64_t{shard}, self_.value}});
  auto taken = db_.write_and_wait(std::move(take));
  if (!taken) return fail(taken.error());
  std::vector<fence> fences;
  for (shard_id shard = 0; shard < count_; ++shard)
    fences.push_back({shard, self_.value, storage::as_int(taken->returned.at(shard)[0][0])});
  return fences;
}

} // namespace tobit::entity
