#include "actors/notify/channel/channel_definition.hpp"

#include "actors/notify/channel/config_reader.hpp"
#include "actors/notify/template/template_scan.hpp"
#include "actors/rule/field_reader.hpp"
#include "schemas/channel/channel_fields.hpp"

#include <algorithm>

namespace tobit::notify {

namespace {

using rule::field_reader;
using rule::verdict;

constexpr std::size_t key_length_max = 100;

/// Words that stand in the place of a key in the routes.
constexpr std::string_view taken_keys[] = {"types", "status", "test"};

bool is_channel_key(std::string_view key) noexcept {
  if (std::find(std::begin(taken_keys), std::end(taken_keys), key) != std::end(taken_keys)) return false;
  return !key.empty() && key.size() <= key_length_max && std::all_of(key.begin(), key.end(), [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  });
}

json merged(const json& body, const json* before) {
  if (!before || !body.is_object()) return body;
  auto all = *before;
  for (const auto& [name, value] : body.items()) all[name] = value;
  // A channel of another type cannot keep what only the old type understood.
  if (all["type"] != before->value("type", json())) {
    for (const char* name : {"config", "rate_limit", "templates"})
      if (!body.contains(name)) all.erase(name);
  }
  return all;
}

/// Limits of those that people read or pay for; programs take what comes.
std::pair<std::int64_t, std::int64_t> usual_rate(std::string_view type) noexcept {
  if (type == "sms") return {10, 100};
  if (type == "webhook" || type == "pagerduty") return {0, 0};
  return {60, 1'000};
}

json read_rate_limit(field_reader& around, std::string_view type) {
  const auto [per_minute, per_hour] = usual_rate(type);
  const auto* given = around.any("rate_limit");
  const json nothing = json::object();
  field_reader in{around.problems(), given ? *given : nothing, around.pointer_to("rate_limit"), "rate_limit"};
  json out{{"max_per_minute", in.integer("max_per_minute", 0, 10'000, per_minute)},
           {"max_per_hour", in.integer("max_per_hour", 0, 100'000, per_hour)}};
  in.close();
  return out;
}

json read_templates(field_reader& around, std::string_view type) {
  auto out = json::object();
  const auto* given = around.any("templates");
  const json nothing = json::object();
  field_reader in{around.problems(), given ? *given : nothing, around.pointer_to("templates"), "templates"};
  for (const char* name : {"title", "text", "html"}) {
    if (std::string_view(name) == "html" && type != "email") {
      in.refuse_if_present("html", "Only mails have an HTML part; write 'text'.");
      continue;
    }
    auto text = in.text(name, {0, template_bytes_max, true}, "");
    if (text.empty()) continue;
    if (auto checked = check_template(text); !checked) in.refuse(name, checked.error().message);
    out[name] = std::move(text);
  }
  in.close();
  return out;
}

std::vector<std::string_view> type_names() {
  std::vector<std::string_view> out;
  for (const auto& type : channel::channel_types()) out.push_back(type.name);
  return out;
}

} // namespace

result<json> normalise_channel(const entity_ref& ref, const json& body, const json* before,
                               const channel_rules& rules) {
  if (body.is_null() && before) return *before;
  verdict v;
  const auto all = merged(body, before);
  field_reader in{v, all, "", "A channel"};
  if (v.good() && to_text(all).size() > channel_definition_bytes_max)
    return fail(error_code::payload_too_large, "A channel is at most 128 KiB of JSON; shorten its templates.");
  if (!is_channel_key(ref.key))
    v.refuse("/channel_id",
             "A channel_id is 1 to 100 letters, digits, '.', '_' or '-', and not 'types', 'status' or 'test'.");
  if (!v.good()) return fail(v.problem());
  json out{{"name", in.text("name", {1, 200})},
           {"description", in.text("description", {0, 2'000, true}, "")},
           {"type", in.choice("type", type_names())},
           {"is_active", in.flag("is_active", true)},
           {"language", in.choice("language", {"en", "ko"}, "en")},
           {"attempts_max", in.integer("attempts_max", 1, 10, 6)}};
  const auto type = out["type"].get<std::string>();
  if (const auto* id = in.any("channel_id"); id && *id != ref.key)
    in.refuse("channel_id", "The channel_id differs from the channel that is addressed; leave it out.");
  in.ignore({"tenant_id", "version", "created_at", "created_by", "updated_at", "updated_by", "deleted_at", "status",
             "last_error"});
  const auto fallback = in.text("fallback", {0, key_length_max}, "");
  if (!fallback.empty() && !is_channel_key(fallback))
    in.refuse("fallback", "'fallback' is the channel_id of another channel.");
  if (fallback == ref.key) in.refuse("fallback", "A channel cannot be its own fallback.");
  out["fallback"] = fallback.empty() ? json() : json(fallback);
  if (v.good()) out["rate_limit"] = read_rate_limit(in, type);
  if (v.good()) out["templates"] = read_templates(in, type);
  const auto* config = in.needed("config");
  if (v.good() && config) out["config"] = read_channel_config(v, type, *config, rules);
  in.close();
  if (!v.good()) return fail(v.problem());
  return out;
}

} // namespace tobit::notify
