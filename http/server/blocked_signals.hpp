#pragma once

namespace tobit::http::edge {

/// Blocks all signals on the calling thread: they are for the main thread, and SIGPIPE is for nobody.
void block_signals() noexcept;

} // namespace tobit::http::edge
