#pragma once

#include "runtime/entity/entity_gateway.hpp"

#include <cstddef>

namespace tobit::rule {

struct pack_loaded {
  std::size_t created = 0; ///< rules that were not there
  std::size_t present = 0; ///< rules that somebody has already: left alone, even if changed or deleted since
};

/// Defines the example rules that are not there yet, for the tenant of `context`. Waits: only for start-up threads and
/// the command line. May be repeated at any time. Precondition: the context has a deadline; `now` is the steady clock's
/// present. Errors: of the first rule that could not be defined; the ones before it stay.
result<pack_loaded> load_example_pack(entity::entity_gateway& entities, const call_context& context, steady_time now);

} // namespace tobit::rule
