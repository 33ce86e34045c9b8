#pragma once

#include "schemas/json.hpp"

#include <string_view>
#include <vector>

/// What the `config` of each type of channel holds: one table for checking, for `GET /cep/channels/types` and for the
/// documentation.
namespace tobit::channel {

struct config_field {
  enum class kind {
    text,
    secret,     ///< a reference to a secret: `env:NAME` or `file:PATH`
    url,        ///< http or https
    secret_url, ///< the same, or a reference; required to be a reference where the address itself is a password
    whole,      ///< an integer from `least` to `most`
    flag,
    choice,         ///< one of `choices`
    mail,           ///< `name@host` or `Name <name@host>`
    mails,          ///< a list of these
    phones,         ///< a list of telephone numbers, E.164: +821012345678
    texts,          ///< a list of texts
    secret_headers, ///< an object: names to texts; a value that may be a secret is a reference
  };
  std::string_view name;
  kind is = kind::text;
  bool required = false;
  std::string_view about;
  std::string_view otherwise = {}; ///< the default as JSON text; empty: none
  std::int64_t least = 0, most = 0;
  std::vector<std::string_view> choices = {};
};

struct channel_type {
  std::string_view name; ///< slack, email, sms, webhook, teams, pagerduty
  std::string_view title;
  std::string_view about;
  std::vector<config_field> fields;
};

/// In the order of the documentation.
const std::vector<channel_type>& channel_types();
/// Null for a type that is not known.
const channel_type* find_channel_type(std::string_view name) noexcept;

/// The answer of `GET /cep/channels/types`.
json describe_channel_types();

} // namespace tobit::channel
