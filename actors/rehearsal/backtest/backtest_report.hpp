#pragma once

#include "actors/rehearsal/backtest/backtest.hpp"
#include "actors/rehearsal/backtest/live_history.hpp"

namespace tobit::rehearsal {

/// The report of a backtest: what would have fired, which alerts there would have been, who would have been told, and
/// how that compares with what did happen. docs/rehearsal.md shows one.
json report_of(const backtest_order& order, const replayed& seen, const course& what, const live_history& live);

} // namespace tobit::rehearsal
