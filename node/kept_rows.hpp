#pragma once

#include "config/settings.hpp"
#include "runtime/storage/retention.hpp"

#include <vector>

namespace tobit::node {

/// What is removed after which time: executions and stored records, deliveries and dead letters of channels, spans,
/// audit rows, ended sign-ins. Events, outbox and ticks are tidied by their owners.
std::vector<storage::retention_rule> kept_rows(const config::settings& from);

} // namespace tobit::node
