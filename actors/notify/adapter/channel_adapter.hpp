#pragma once

#include "actors/notify/adapter/delivery.hpp"
#include "runtime/entity/effect_handler.hpp"
#include "runtime/outbound/http_client.hpp"
#include "runtime/outbound/smtp_client.hpp"
#include "schemas/time.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <variant>

namespace tobit::notify {

/// Reads a secret that a reference names.
using secret_lookup = std::function<result<std::string>(std::string_view reference)>;

/// What leaves the machine.
using outgoing_message = std::variant<outbound::http_request, outbound::mail_request>;

/// How one type of channel speaks: what is sent, and what the answer means. Stateless, pure; one instance per type.
class channel_adapter {
public:
  virtual ~channel_adapter() = default;
  virtual std::string_view type() const noexcept = 0;

  /// Whether the receiver recognises a repetition (by an idempotency or deduplication key). Where it does not, an
  /// attempt whose end nobody knows is never made again by itself.
  virtual bool may_repeat() const noexcept = 0;

  /// Whether every recipient gets a message of his own.
  virtual bool one_by_one() const noexcept { return false; }

  /// Whether the place of a thread's first message is only known from its answer, so that others must wait for it.
  virtual bool place_comes_later(const json& config) const {
    (void)config;
    return false;
  }

  /// Makes the message. Timeouts and limits are the caller's. Errors: those of `secrets`, validation_error.
  virtual result<outgoing_message> prepare(const delivery& what, utc_time now, const secret_lookup& secrets) const = 0;

  /// What an answer over HTTP means.
  virtual entity::effect_outcome judge(const outbound::http_response& response, utc_time now) const = 0;
};

/// Null for an unknown type.
const channel_adapter* find_adapter(std::string_view type) noexcept;

/// One per type.
const channel_adapter& slack_adapter();
const channel_adapter& email_adapter();
const channel_adapter& sms_adapter();
const channel_adapter& webhook_adapter();
const channel_adapter& teams_adapter();
const channel_adapter& pagerduty_adapter();

} // namespace tobit::notify
