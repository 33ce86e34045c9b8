#pragma once

#include "schemas/error.hpp"

#include <memory>
#include <string>

namespace tobit::storage {

/// Holds an exclusive advisory lock (flock) on the file until it is destroyed; the kernel frees it when the process
/// ends, however it ends. The file itself stays. Errors: configuration_error if somebody else holds it or it cannot be
/// made.
result<std::shared_ptr<void>> hold_lock_file(const std::string& path);

} // namespace tobit::storage
