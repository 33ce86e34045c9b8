#pragma once

#include "config/settings.hpp"
#include "schemas/error.hpp"

#include <memory>
#include <string>

namespace tobit::node {

/// One running node: all parts, wired. The composition root; it decides nothing.
class node {
public:
  /// Starts stage by stage: log, store, telemetry, way out, actors, entities, edge, then whatever wakes entities. A
  /// stage that fails ends those before it and says which one it was. Waits. Errors: configuration_error,
  /// database_error, storage_full.
  static result<std::unique_ptr<node>> start(const config::settings& settings);
  virtual ~node() = default;

  /// Where it serves: `http://127.0.0.1:8000`.
  virtual const std::string& url() const noexcept = 0;

  /// Stops in reverse: no new requests, those under way finish, entities store their state. Takes less than
  /// `shutdown_grace` plus two seconds; whatever hangs longer is cut off by a watchdog, nothing acknowledged is lost.
  virtual void stop() = 0;
};

} // namespace tobit::node
