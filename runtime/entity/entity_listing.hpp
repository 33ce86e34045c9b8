#pragma once

#include "runtime/entity/entity_residency.hpp"
#include "runtime/storage/database.hpp"
#include "schemas/json.hpp"
#include "schemas/time.hpp"

#include <optional>
#include <string>
#include <vector>

namespace tobit::entity {

/// Which entities to list. Empty fields do not filter.
struct listing_filter {
  std::string kind{}, tenant{};
  std::string status{}; ///< active, sleeping, quarantined, disabled, deleted; deleted ones are only listed by this
  std::string q{};      ///< part of name or key, case-insensitive for ASCII
  std::string label{};
  std::string sort = "updated"; ///< updated (latest first) | name | created (latest first) | restarts (most first)
  std::size_t limit = 50;       ///< 1 to 500
  std::string cursor{};         ///< `next` of the page before, with the same sort
};

struct listed_entity {
  entity_ref ref;
  std::string name, label;
  std::string status; ///< active, sleeping, quarantined, disabled, deleted, restarting, activating
  bool enabled = true;
  bool resident = false; ///< in memory
  std::string node;      ///< where, if that is known
  std::int64_t version = 0;
  std::int64_t restarts = 0;
  std::string last_error;
  utc_time created_at, updated_at;
  std::uint32_t unanswered = 0; ///< only for residents, like what follows
  std::uint64_t handled = 0, failed = 0;
  double average_ms = 0;
};
void to_json(json& out, const listed_entity& one);
/// Adds what the entity looks like in memory.
void show_residency(listed_entity& one, const residency& seen);

struct entity_page {
  std::vector<listed_entity> items;
  std::string next; ///< cursor of the following page; empty: this was the last
};

/// Reads a page of entities from the rows and adds what this node has in memory. `residency` may be null. Waits for the
/// database. Errors: validation_error (unknown sort or status, malformed cursor), those of the database.
result<entity_page> list_entities(storage::database& db, const listing_filter& filter,
                                  const entity_residency* residency = nullptr);

} // namespace tobit::entity
