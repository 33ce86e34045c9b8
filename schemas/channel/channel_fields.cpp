#include "schemas/channel/channel_fields.hpp"

namespace tobit::channel {

namespace {

using kind = config_field::kind;

channel_type slack() {
  return {"slack",
          "Slack",
          "A message in a Slack channel. With a bot token updates of one alert go into its thread; an incoming webhook "
          "has no threads.",
          {{"webhook_url", kind::secret_url, false, "Address of an incoming webhook; or use bot_token and channel."},
           {"bot_token", kind::secret, false, "Token of a Slack app with chat:write (xoxb-…)."},
           {"channel", kind::text, false, "Where the bot writes: a channel's id or #name."},
           {"api_url", kind::url, false, "Address of the Web API.", "\"https://slack.com/api\""},
           {"username", kind::text, false, "Name that the message shows (bot token with chat:write.customize)."},
           {"icon_emoji", kind::text, false, "Emoji that the message shows, e.g. :rotating_light:."}}};
}

channel_type email() {
  return {
      "email",
      "E-mail",
      "A mail with HTML and plain text through an SMTP server. Updates of one alert refer to its first mail.",
      {{"smtp_host", kind::text, true, "Name or address of the SMTP server."},
       {"smtp_port", kind::whole, false, "Its port: 587 STARTTLS, 465 TLS, 25 or 1025 in the clear.", "587", 1, 65'535},
       {"security",
        kind::choice,
        false,
        "starttls, tls, or none (then no password is sent).",
        "\"starttls\"",
        0,
        0,
        {"starttls", "tls", "none"}},
       {"use_tls", kind::flag, false, "Older way of saying security: true is starttls (tls on port 465), false none."},
       {"username", kind::text, false, "Who signs in; the sender's address if only a password is given."},
       {"password", kind::secret, false, "Password or app password."},
       {"from_email", kind::mail, true, "The sender: ops@example.com or Tobit <ops@example.com>."},
       {"recipients", kind::mails, true, "Who gets the mail, 1 to 50 addresses."},
       {"reply_to", kind::mail, false, "Where answers go."}}};
}

channel_type sms() {
  return {
      "sms",
      "SMS",
      "A text message to each recipient through Twilio, or a service that speaks its REST API.",
      {{"account_sid", kind::text, true, "The account (AC…)."},
       {"auth_token", kind::secret, true, "Its token."},
       {"from_number", kind::text, true, "The sender's number (+1…), short code, or sender id."},
       {"recipients", kind::phones, true, "Numbers with country code, 1 to 20: +821012345678."},
       {"base_url", kind::url, false, "Address of the service.", "\"https://api.twilio.com\""},
       {"max_characters", kind::whole, false,
        "Longer texts are cut. 160 is one message of Latin text, or three of Korean (70 each).", "160", 20, 1'600}}};
}

channel_type webhook() {
  return {"webhook",
          "Webhook",
          "A JSON document to any HTTP endpoint, signed if there is a secret.",
          {{"url", kind::url, true, "Where it is sent (POST)."},
           {"headers", kind::secret_headers, false,
            "Further headers; values of those that may hold secrets are references."},
           {"secret", kind::secret, false, "Key of the HMAC-SHA256 signature in X-Tobit-Signature."},
           {"recipients", kind::texts, false, "Passed on in the document, at most 50."}}};
}

channel_type teams() {
  return {"teams",
          "Microsoft Teams",
          "An adaptive card in a Teams channel, through a workflow's or connector's webhook.",
          {{"webhook_url", kind::secret_url, true, "The webhook's address, which is a password in itself."}}};
}

channel_type pagerduty() {
  return {"pagerduty",
          "PagerDuty",
          "Triggers, acknowledges and resolves an incident (Events API v2).",
          {{"integration_key", kind::secret, true, "Routing key of an Events API v2 integration."},
           {"default_severity",
            kind::choice,
            false,
            "For notices without a severity.",
            "\"error\"",
            0,
            0,
            {"critical", "error", "warning", "info"}},
           {"base_url", kind::url, false, "Address of the Events API.", "\"https://events.pagerduty.com\""},
           {"source", kind::text, false, "What the incident is shown to come from.", "\"tobit\""},
           {"component", kind::text, false, "Component of the source."},
           {"group", kind::text, false, "Logical group."}}};
}

std::string_view to_string(kind is) noexcept {
  switch (is) {
  case kind::text:
    return "text";
  case kind::secret:
    return "secret";
  case kind::url:
    return "url";
  case kind::secret_url:
    return "secret_url";
  case kind::whole:
    return "integer";
  case kind::flag:
    return "boolean";
  case kind::choice:
    return "choice";
  case kind::mail:
    return "mail_address";
  case kind::mails:
    return "mail_addresses";
  case kind::phones:
    return "phone_numbers";
  case kind::texts:
    return "texts";
  case kind::secret_headers:
    return "headers";
  }
  return "text";
}

} // namespace

const std::vector<channel_type>& channel_types() {
  static const std::vector<channel_type> all{slack(), email(), sms(), webhook(), teams(), pagerduty()};
  return all;
}

const channel_type* find_channel_type(std::string_view name) noexcept {
  for (const auto& type : channel_types())
    if (type.name == name) return &type;
  return nullptr;
}

json describe_channel_types() {
  auto out = json::array();
  for (const auto& type : channel_types()) {
    auto fields = json::array();
    for (const auto& field : type.fields) {
      json shown{{"name", field.name},
                 {"type", to_string(field.is)},
                 {"required", field.required},
                 {"description", field.about},
                 {"secret", field.is == kind::secret || field.is == kind::secret_url},
                 {"default", field.otherwise.empty() ? json() : json::parse(field.otherwise)}};
      if (!field.choices.empty()) shown["choices"] = field.choices;
      if (field.is == kind::whole) shown["minimum"] = field.least, shown["maximum"] = field.most;
      fields.push_back(std::move(shown));
    }
    out.push_back(
        {{"type", type.name}, {"name", type.title}, {"description", type.about}, {"fields", std::move(fields)}});
  }
  return out;
}

} // namespace tobit::channel
