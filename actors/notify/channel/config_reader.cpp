#include "actors/notify/channel/config_reader.hpp"

#include "actors/notify/adapter/mail_message.hpp"
#include "schemas/channel/channel_fields.hpp"
#include "schemas/redaction.hpp"

#include <algorithm>

namespace tobit::notify {

namespace {

using channel::config_field;
using kind = config_field::kind;
using rule::field_reader;

constexpr std::size_t mails_max = 50, phones_max = 20, texts_max = 50, headers_max = 50;
constexpr std::size_t text_max = 500, url_max = 2'000;

bool is_phone(std::string_view text) noexcept {
  return text.size() >= 5 && text.size() <= 16 && text.front() == '+' &&
         std::all_of(text.begin() + 1, text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_header_name(std::string_view text) noexcept {
  return !text.empty() && text.size() <= 100 && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) || std::string_view("!#$%&'*+-.^_`|~").find(static_cast<char>(c)) != std::string_view::npos;
  });
}

class config_reader {
public:
  config_reader(rule::verdict& v, const std::string& type, const json& config, const channel_rules& rules)
      : in_(v, config, "/config", "The config of a channel of the type '" + type + "'"), rules_(rules) {}

  json read(const channel::channel_type& type) {
    auto out = json::object();
    for (const auto& field : type.fields) {
      if (!in_.has(field.name)) {
        in_.any(field.name);
        if (field.required) in_.needed(field.name);
        if (!field.otherwise.empty()) out[std::string(field.name)] = json::parse(field.otherwise);
        continue;
      }
      auto value = read(field);
      if (!in_.problems().good()) return out;
      out[std::string(field.name)] = std::move(value);
    }
    in_.close();
    return out;
  }

  field_reader& fields() noexcept { return in_; }

  void check_address(std::string_view name, const std::string& url) {
    if (auto checked = outbound::check_url(rules_.guard, url); !checked)
      in_.refuse(name, checked.error().message, checked.error().code);
  }

private:
  json read(const config_field& field) {
    switch (field.is) {
    case kind::text:
      return in_.text(field.name, {1, text_max});
    case kind::secret:
      return read_secret(field.name);
    case kind::url:
    case kind::secret_url:
      return read_url(field);
    case kind::whole:
      return in_.integer(field.name, field.least, field.most);
    case kind::flag:
      return in_.flag(field.name, false);
    case kind::choice:
      return in_.choice(field.name, field.choices);
    case kind::mail:
      return read_mail(field.name);
    case kind::mails:
      return read_list(field.name, mails_max, [](const std::string& text) -> std::string {
        const auto read = parse_mail_address(text);
        return read ? std::string{} : read.error().message;
      });
    case kind::phones:
      return read_list(field.name, phones_max, [](const std::string& text) -> std::string {
        return is_phone(text) ? std::string{} : "A telephone number is written with its country code: +821012345678.";
      });
    case kind::texts:
      return in_.texts(field.name, {1, 200}, texts_max);
    case kind::secret_headers:
      return read_headers(field.name);
    }
    return {};
  }

  /// The text is not repeated in a complaint: it may be the secret.
  std::string read_secret(std::string_view name) {
    const auto& value = in_.raw(name);
    in_.any(name);
    if (!value.is_string()) {
      in_.refuse(name, "'" + std::string(name) + "' is a reference to a secret: 'env:NAME' or 'file:/path'.");
      return {};
    }
    if (auto checked = check_secret_reference(value.get_ref<const std::string&>(), rules_.secrets); !checked)
      in_.refuse(name, checked.error().message);
    return value.get<std::string>();
  }

  std::string read_url(const config_field& field) {
    const auto& value = in_.raw(field.name);
    if (value.is_string() && is_secret_reference(value.get_ref<const std::string&>())) {
      if (field.is == kind::secret_url) return read_secret(field.name);
      in_.refuse(field.name, "This address stands in the definition itself; only secrets are references.");
      return {};
    }
    if (value.is_string() && is_secret_address(value.get_ref<const std::string&>())) {
      in_.any(field.name);
      in_.refuse(field.name, "This address is a password in itself: whoever knows it can write there. Put it into an "
                             "environment variable or a file and write 'env:NAME' or 'file:/path' here." +
                                 std::string(field.is == kind::url ? " Or move its secret part to a header." : ""));
      return {};
    }
    auto url = in_.text(field.name, {1, url_max});
    if (in_.problems().good()) check_address(field.name, url);
    return url;
  }

  std::string read_mail(std::string_view name) {
    auto text = in_.text(name, {1, text_max});
    if (!in_.problems().good()) return text;
    if (auto read = parse_mail_address(text); !read) in_.refuse(name, read.error().message);
    return text;
  }

  template <class WhyNot>
  std::vector<std::string> read_list(std::string_view name, std::size_t count_max, WhyNot why_not) {
    auto all = in_.texts(name, {1, text_max}, count_max);
    if (in_.problems().good() && all.empty())
      in_.refuse(name, "'" + std::string(name) + "' names at least one recipient.");
    for (std::size_t i = 0; i < all.size(); ++i)
      if (auto why = why_not(all[i]); !why.empty())
        in_.problems().refuse(pointer_append(in_.pointer_to(name), i), std::move(why));
    return all;
  }

  json read_headers(std::string_view name) {
    auto headers = in_.table(name, headers_max, url_max, false);
    for (const auto& [header, value] : headers.items()) {
      const auto at = pointer_append(in_.pointer_to(name), header);
      if (!is_header_name(header)) {
        in_.problems().refuse(at, "This is not the name of an HTTP header.");
      } else if (!value.is_string()) {
        in_.problems().refuse(at, "The value of a header is a text.");
      } else if (const auto& text = value.get_ref<const std::string&>(); is_secret_reference(text)) {
        if (auto checked = check_secret_reference(text, rules_.secrets); !checked)
          in_.problems().refuse(at, checked.error().message);
      } else if (is_secret_name(header)) {
        in_.problems().refuse(at, "This header holds a secret; write where it stands: 'env:NAME' or 'file:/path'.");
      }
    }
    return headers;
  }

  field_reader in_;
  const channel_rules& rules_;
};

void check_slack(config_reader& reader, json& out) {
  auto& in = reader.fields();
  const bool hook = out.contains("webhook_url"), bot = out.contains("bot_token");
  if (hook == bot)
    in.refuse(hook ? "webhook_url" : "bot_token",
              "Slack is reached either by 'webhook_url' or by 'bot_token' and 'channel'; write one of them.");
  else if (bot && !out.contains("channel"))
    in.refuse("channel", "With a bot token 'channel' says where it writes: #name or the channel's id.");
  else if (hook)
    out.erase("api_url");
}

void check_email(config_reader& reader, json& out) {
  auto& in = reader.fields();
  if (out.contains("use_tls")) {
    const bool wanted = out["use_tls"].get<bool>();
    if (!in.has("security")) out["security"] = !wanted ? "none" : out["smtp_port"] == 465 ? "tls" : "starttls";
    out.erase("use_tls");
  }
  if (!in.has("smtp_port") && out["security"] == "tls") out["smtp_port"] = 465;
  if (out["security"] == "none" && out.contains("password"))
    in.refuse("password", "A password is sent over an encrypted connection only; set 'security' to starttls or tls.");
  const auto host = out["smtp_host"].get<std::string>();
  if (host.find_first_of("/@?# ") != host.npos)
    in.refuse("smtp_host", "'smtp_host' is a host name or an address, without a port; the port is 'smtp_port'.");
  else
    reader.check_address("smtp_host", "http://" + (host.find(':') == host.npos ? host : '[' + host + ']') + ':' +
                                          std::to_string(out["smtp_port"].get<int>()) + '/');
}

void check_sms(config_reader& reader, const json& out) {
  const auto sid = out["account_sid"].get<std::string>();
  if (!std::all_of(sid.begin(), sid.end(), [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '_'; }))
    reader.fields().refuse("account_sid", "'account_sid' is letters and digits.");
}

} // namespace

bool is_secret_address(std::string_view url) {
  const auto begin = url.find("://");
  if (begin == url.npos) return false;
  const auto rest = url.substr(begin + 3);
  auto host = rest.substr(0, rest.find_first_of("/?#:"));
  std::string lower(host);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  constexpr std::string_view telling[] = {"hooks.slack.com",    "hooks.slack-gov.com", "webhook.office.com",
                                          "outlook.office.com", "logic.azure.com",     "powerplatform.com",
                                          "powerautomate.com"};
  for (const auto name : telling)
    if (lower == name || lower.ends_with('.' + std::string(name))) return true;
  const auto query = rest.find('?');
  for (auto at = query; at != rest.npos;) {
    const auto next = rest.find('&', at + 1);
    const auto pair = rest.substr(at + 1, next == rest.npos ? rest.npos : next - at - 1);
    const auto name = pair.substr(0, pair.find('='));
    if (name == "sig" || name == "signature" || name == "key" || is_secret_name(name)) return true;
    at = next;
  }
  return false;
}

json read_channel_config(rule::verdict& v, const std::string& type, const json& config, const channel_rules& rules) {
  config_reader reader(v, type, config, rules);
  if (!v.good()) return json::object();
  auto out = reader.read(*channel::find_channel_type(type));
  if (!v.good()) return out;
  if (type == "slack") check_slack(reader, out);
  if (type == "email") check_email(reader, out);
  if (type == "sms") check_sms(reader, out);
  return out;
}

} // namespace tobit::notify
