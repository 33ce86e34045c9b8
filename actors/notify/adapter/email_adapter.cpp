#include "actors/notify/adapter/channel_adapter.hpp"
#include "actors/notify/adapter/channel_config.hpp"
#include "actors/notify/adapter/mail_message.hpp"
#include "actors/notify/template/notice_values.hpp"

namespace tobit::notify {

namespace {

outbound::mail_security security_of(const json& config) {
  const auto text = config_text(config, "security");
  return text == "tls"    ? outbound::mail_security::tls
         : text == "none" ? outbound::mail_security::none
                          : outbound::mail_security::starttls;
}

class adapter final : public channel_adapter {
public:
  std::string_view type() const noexcept override { return "email"; }
  /// Message-ID is the same each time, but servers do not look at it.
  bool may_repeat() const noexcept override { return false; }

  result<outgoing_message> prepare(const delivery& what, utc_time now, const secret_lookup& secrets) const override {
    outbound::mail_request request;
    request.host = config_text(what.config, "smtp_host");
    request.port = static_cast<std::uint16_t>(what.config.value("smtp_port", 587));
    request.security = security_of(what.config);
    mail_parts parts;
    auto from = parse_mail_address(config_text(what.config, "from_email"));
    if (!from) return fail(from.error());
    parts.from = std::move(*from);
    for (const auto& text : what.recipients.empty() ? config_list(what.config, "recipients") : what.recipients) {
      auto to = parse_mail_address(text);
      if (!to) return fail(to.error());
      request.to.push_back(to->address);
      parts.to.push_back(std::move(*to));
    }
    if (const auto reply_to = config_text(what.config, "reply_to"); !reply_to.empty()) {
      auto to = parse_mail_address(reply_to);
      if (!to) return fail(to.error());
      parts.reply_to = to->address;
    }
    if (const auto reference = config_text(what.config, "password"); !reference.empty()) {
      auto password = secrets(reference);
      if (!password) return fail(password.error());
      request.password = std::move(*password);
      request.user = config_text(what.config, "username");
      if (request.user.empty()) request.user = parts.from.address;
    }
    const auto host = parts.from.address.substr(parts.from.address.find('@') + 1);
    parts.subject = one_line(what.title, 300);
    parts.text = what.text;
    parts.html = what.html;
    parts.message_id = "tobit." + what.key + '@' + host;
    if (const auto root = what.place.is_object() ? config_text(what.place, "root") : std::string{}; !root.empty())
      parts.in_reply_to = "tobit." + root + '@' + host;
    parts.date = now;
    parts.boundary = "tobit-" + what.key;
    parts.urgent = what.status == "firing" && what.severity == "critical";
    request.from = parts.from.address;
    auto message = compose_mail(parts);
    if (!message) return fail(message.error());
    request.message = std::move(*message);
    return request;
  }

  entity::effect_outcome judge(const outbound::http_response&, utc_time) const override { return {}; }
};

} // namespace

const channel_adapter& email_adapter() {
  static const adapter one;
  return one;
}

} // namespace tobit::notify
