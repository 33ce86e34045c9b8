#pragma once

#include "runtime/storage/statement.hpp"
#include "schemas/call_context.hpp"
#include "schemas/json.hpp"
#include "schemas/time.hpp"

#include <string>

namespace tobit::http {

/// One change, for the audit log. No secrets in the values.
struct audited_change {
  std::string action;        ///< e.g. "create"
  std::string resource_type; ///< e.g. "api_key"
  std::string resource_id;
  json old_values = json::object(), new_values = json::object(), metadata = json::object();
};

/// The row of `audit_log`, to be written in the same unit of work as the change.
storage::statement audit_row(const call_context& context, const audited_change& change, utc_time now);

} // namespace tobit::http
