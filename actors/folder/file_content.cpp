#include "actors/folder/file_content.hpp"

#include "config/definition_text.hpp"

#include <cstdio>
#include <set>

namespace tobit::folder {

namespace {

constexpr std::size_t flaws_max = 20, definitions_max = 10'000;

std::string text_of(const json& body, const std::string& name) {
  const auto at = body.find(name);
  return at != body.end() && at->is_string() ? at->get<std::string>() : std::string{};
}

/// `channel_id` or `id`, `channel_name` or `name`.
std::string own(const json& body, const std::string& kind, const std::string& what) {
  auto out = text_of(body, kind + "_" + what);
  return out.empty() ? text_of(body, what) : out;
}

/// Takes one definition, or gives the complaint about it.
std::optional<error> take(json body, const entity::kind_registry& kinds, const tenant_id& tenant,
                          wanted_definition& out) {
  const auto kind = body.find("kind");
  if (kind != body.end() && !kind->is_string())
    return error{error_code::validation_error, "'kind' is a text such as rule.", "/kind"};
  out.kind = kind == body.end() ? "rule" : kind->get<std::string>();
  body.erase("kind");
  const auto* known = kinds.find(out.kind);
  if (!known) {
    std::string names;
    for (auto name : kinds.names()) names += (names.empty() ? "" : ", ") + std::string(name);
    return error{error_code::validation_error, "There is no kind '" + out.kind + "'; it is one of " + names + ".",
                 "/kind"};
  }
  out.key = is_single(out.kind) ? "default" : own(body, out.kind, "id");
  out.name = is_single(out.kind) ? "default" : own(body, out.kind, "name");
  if (out.key.size() > entity_key_length_max)
    return error{error_code::validation_error, "The id is too long.", "/" + out.kind + "_id"};
  const entity_ref ref{out.kind, tenant, out.key.empty() ? key_for_name(out.kind, tenant, out.name) : out.key};
  try {
    auto compiled = known->compile(ref, body, nullptr);
    if (!compiled) return compiled.error();
    if (out.name.empty()) out.name = compiled->name;
    out.body = std::move(compiled->definition);
  } catch (const std::exception& e) {
    return error{error_code::validation_error, std::string("The definition cannot be understood: ") + e.what()};
  }
  return std::nullopt;
}

} // namespace

bool is_single(std::string_view kind) noexcept { return kind == "alerting"; }

std::string key_for_name(std::string_view kind, const tenant_id& tenant, std::string_view name) {
  const auto half = [&](const char* mark) {
    return static_cast<unsigned long long>(
        stable_hash(entity_ref{std::string(kind), tenant, mark + std::string(name)}));
  };
  const auto a = half("file:a:"), b = half("file:b:");
  char out[37]; // version 8 of RFC 9562: made by a rule of one's own
  std::snprintf(out, sizeof out, "%08llx-%04llx-8%03llx-%04llx-%012llx", a >> 32, a >> 16 & 0xffff, a & 0xfff,
                (b >> 48 & 0x3fff) | 0x8000, b & 0xffffffffffff);
  return out;
}

file_content read_file(std::string_view text, const std::string& name, const entity::kind_registry& kinds,
                       const tenant_id& tenant) {
  file_content out;
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return out; // an empty file defines nothing
  auto definitions = config::read_definitions(text, name);
  if (!definitions) {
    // The reader writes "file:line:column: what is wrong".
    auto message = definitions.error();
    const auto end = message.starts_with(name + ":") ? message.find(": ") : std::string::npos;
    auto place = end == std::string::npos ? name : message.substr(0, end);
    if (end != std::string::npos) message.erase(0, end + 2);
    out.flaws.push_back({std::move(place), {}, std::move(message)});
    return out;
  }
  if (definitions->size() > definitions_max) {
    out.flaws.push_back({name, {}, "The file holds more than 10,000 definitions; split it."});
    return out;
  }
  std::set<std::pair<std::string, std::string>> names;
  for (std::size_t i = 0; i < definitions->size() && out.flaws.size() < flaws_max; ++i) {
    wanted_definition one;
    auto wrong = take(std::move((*definitions)[i]), kinds, tenant, one);
    if (!wrong && !names.emplace(one.kind, one.key.empty() ? one.name : one.key).second)
      wrong = error{error_code::validation_error, "The file defines '" + one.name + "' twice."};
    if (wrong)
      out.flaws.push_back(
          {config::definition_place(text, name, i, wrong->pointer), wrong->pointer, std::string(wrong->text())});
    else
      out.definitions.push_back(std::move(one));
  }
  return out;
}

} // namespace tobit::folder
