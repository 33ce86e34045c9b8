#pragma once

#include "runtime/entity/entity_gateway.hpp"
#include "runtime/entity/kind_registry.hpp"
#include "runtime/storage/database.hpp"
#include "runtime/telemetry/metrics.hpp"
#include "runtime/time/clock.hpp"
#include "schemas/json.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace caf {
class actor_system;
}

namespace tobit::folder {

/// What becomes of a definition that no file holds any more.
enum class removal { disable, erase, keep };

/// What a watched folder needs. All of it outlives the folder.
struct definition_folder_deps {
  caf::actor_system& system;
  storage::database& database;
  entity::entity_gateway& entities;
  const entity::kind_registry& kinds;
  const clock& time;
  telemetry::metrics& metrics;
};

struct definition_folder_options {
  std::string path;
  removal removed = removal::disable;
  tenant_id tenant{"default"};
  std::chrono::milliseconds tick{500};               ///< how often it is asked whether something happened
  std::chrono::milliseconds settle{500};             ///< so long nothing happens before the files are read
  std::chrono::milliseconds rescan{60'000};          ///< the files are read at least this often
  std::chrono::milliseconds answer_deadline{30'000}; ///< of one definition
};

/// A folder whose files say which definitions there are. A file is applied when its content is new: as a whole or, if
/// anything in it is wrong, not at all; then what it said before stays. Content that was applied is not looked at
/// again, also not after a restart: what somebody changes past the file stays until the file changes or
/// `inspect(true, …)` applies everything again.
///
/// A folder that cannot be read changes nothing. One that suddenly holds no file at all neither, because that is what a
/// volume that was not mounted looks like: `inspect(true, …)` confirms that it is meant.
class definition_folder {
public:
  virtual ~definition_folder() = default;
  virtual void start() = 0;
  virtual void stop() = 0;
  /// {path, removed, last_scan_at, error, files: [{path, status: applied|refused|waiting, definitions, applied_at,
  /// errors: [{place, pointer, message}]}]}. `again`: applies all files again, and takes an empty folder at its word.
  /// `done` is called once, on an actor's thread; with `again` it does not wait for the end.
  virtual void inspect(bool again, std::function<void(json)> done) = 0;
};

std::unique_ptr<definition_folder> make_definition_folder(const definition_folder_deps& deps,
                                                          const definition_folder_options& options);

} // namespace tobit::folder
