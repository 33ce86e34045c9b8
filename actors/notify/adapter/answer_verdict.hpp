#pragma once

#include "runtime/entity/effect_handler.hpp"
#include "runtime/outbound/http_client.hpp"
#include "runtime/outbound/smtp_client.hpp"

#include <initializer_list>
#include <string>

namespace tobit::notify {

/// The rule of what is tried again (contract §2.10): 408, 425, 429 and 5xx, not before `Retry-After`; every other
/// answer that is not in `accepted` is final. `who` names the service in sentences.
entity::effect_outcome judge_status(const outbound::http_response& response, std::initializer_list<int> accepted,
                                    const std::string& who, utc_time now);

/// What a request without an answer means. `departed`: it may have reached the receiver. What did not reach it is tried
/// again; what may have is tried again only if the receiver recognises repetitions, and otherwise ends with
/// `outcome_unknown_text`.
entity::effect_outcome judge_silence(const error& problem, bool departed, bool may_repeat);

/// What a mail server's refusal means: 4xx and trouble on the way is tried again, 5xx and an unknown outcome is final.
entity::effect_outcome judge_mail(const outbound::mail_failure& failure);

/// The end of an attempt that may have succeeded and must not be repeated blindly.
entity::effect_outcome unknown_outcome(std::string why);

/// Beginning of the error of every notice that may have arrived all the same.
inline constexpr std::string_view outcome_unknown_text = "It may have been delivered, nobody can say: ";

} // namespace tobit::notify
