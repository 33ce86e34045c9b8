#pragma once

#include "runtime/entity/effect_handler.hpp"
#include "runtime/outbound/http_client.hpp"

namespace tobit::notify {

/// Most bytes of an answer's body that are kept.
inline constexpr std::size_t answer_bytes_max = 1'024;

/// What an answer means for a webhook: 2xx is done; 408, 425, 429, 5xx and everything that went wrong on the way is
/// tried again, not before `Retry-After`; other answers are final: other 4xx, redirects (which are not followed), and
/// addresses that the guard refuses.
entity::effect_outcome webhook_verdict(const result<outbound::http_response>& response, utc_time now);

} // namespace tobit::notify
