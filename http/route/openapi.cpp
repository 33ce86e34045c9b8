#include "http/route/openapi.hpp"

#include "schemas/rule/rule_schema.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

namespace tobit::http {

namespace {

json reference(const char* name) { return {{"$ref", std::string("#/components/schemas/") + name}}; }

json envelope_schema(const json& body) {
  return {{"type", "object"},
          {"required", {"time", "code", "message", "data", "metadata"}},
          {"properties",
           {{"time", {{"type", "string"}, {"format", "date-time"}}},
            {"code", {{"const", 0}}},
            {"message", {{"const", "OK"}}},
            {"data", body},
            {"metadata", {{"type", {"object", "null"}}}}}}};
}

json error_schema() {
  json names = json::array();
  for (const auto& row : error_table()) names.push_back(row.name);
  return {{"type", "object"},
          {"required", {"time", "code", "message", "data", "metadata"}},
          {"properties",
           {{"time", {{"type", "string"}, {"format", "date-time"}}},
            {"code", {{"type", "integer"}, {"description", "Number of the error; see the reference of errors."}}},
            {"message", {{"type", "string"}, {"description", "Says what to do."}}},
            {"data",
             {{"type", "object"},
              {"required", {"error", "trace_id"}},
              {"properties",
               {{"error", {{"type", "string"}, {"enum", names}}},
                {"pointer", {{"type", "string"}, {"description", "JSON pointer (RFC 6901) of the offending field."}}},
                {"trace_id", {{"type", "string"}}}}}}},
            {"metadata", {{"type", "null"}}}}}};
}

json parameter_object(const parameter& p) {
  const char* place = p.in == parameter::place::path ? "path" : p.in == parameter::place::query ? "query" : "header";
  auto described = p.type;
  described.about.clear();
  json out{{"name", p.name}, {"in", place}, {"schema", to_json_schema(described)}};
  if (p.required) out["required"] = true;
  if (!p.type.about.empty()) out["description"] = p.type.about;
  return out;
}

/// The errors of a route by HTTP status: its own and those of every route of its sort.
std::map<int, std::vector<std::string>> errors_of(const route& r) {
  std::set<error_code> codes(r.errors.begin(), r.errors.end());
  const auto add = [&](std::initializer_list<error_code> more) { codes.insert(more); };
  if (r.needs.is != access::kind::anybody) add({error_code::unauthenticated, error_code::account_disabled});
  if (r.needs.is == access::kind::permission || r.needs.is == access::kind::role || r.needs.is == access::kind::person)
    add({error_code::authorization_error});
  if (!r.unlimited) add({error_code::rate_limit_exceeded});
  if (!r.parameters.empty() || r.body) add({error_code::validation_error});
  if (r.body) add({error_code::malformed_json, error_code::payload_too_large, error_code::unsupported_media_type});
  if (r.needs.is != access::kind::anybody)
    add({error_code::database_error, error_code::overloaded, error_code::deadline_exceeded});
  std::map<int, std::vector<std::string>> by_status;
  for (auto code : codes) by_status[describe(code).http_status].emplace_back(describe(code).name);
  return by_status;
}

json responses_of(const route& r) {
  json out = json::object();
  const auto type = to_json_schema(r.answers.type);
  json content = json::object();
  if (r.answers.status != 204)
    content[r.answers.content_type] = {{"schema", r.answers.enveloped ? envelope_schema(type) : type}};
  auto statuses = r.answers.also;
  statuses.push_back(r.answers.status);
  for (auto status : statuses) {
    out[std::to_string(status)] = {{"description", status == 202 ? "Accepted; not finished yet." : "OK"}};
    if (!content.empty()) out[std::to_string(status)]["content"] = content;
  }
  for (const auto& [status, names] : errors_of(r)) {
    std::string all;
    for (const auto& name : names) all += (all.empty() ? "" : ", ") + name;
    out[std::to_string(status)] = {{"description", all},
                                   {"content", {{"application/json", {{"schema", reference("Error")}}}}}};
  }
  return out;
}

json operation_of(const route& r) {
  json out{{"operationId", r.operation}, {"summary", r.summary}, {"tags", {r.tag}}, {"responses", responses_of(r)}};
  out["description"] = (r.notes.empty() ? "" : r.notes + "\n\n") + "Access: " + access_in_words(r.needs) + ".";
  json parameters = json::array();
  for (const auto& p : r.parameters) parameters.push_back(parameter_object(p));
  if (!parameters.empty()) out["parameters"] = std::move(parameters);
  if (r.body) {
    json content = json::object();
    for (const auto& type : r.body->content_types) content[type] = {{"schema", to_json_schema(r.body->type)}};
    out["requestBody"] = {{"required", r.body->required}, {"content", std::move(content)}};
  }
  if (r.needs.is == access::kind::anybody)
    out["security"] = json::array();
  else if (r.needs.is == access::kind::person)
    out["security"] = json::array({{{"bearer", json::array()}}});
  return out;
}

} // namespace

std::string access_in_words(const access& needs) {
  switch (needs.is) {
  case access::kind::anybody:
    return "anybody";
  case access::kind::signed_in:
    return "anybody who is signed in";
  case access::kind::person:
    return "people who are signed in (no API keys)";
  case access::kind::role:
    return "role " + std::string(to_string(needs.least)) + " or higher";
  case access::kind::permission:
    return "permission " + needs.permission;
  }
  return {};
}

json write_openapi(const route_table& table, const std::string& version) {
  json paths = json::object();
  std::set<std::string> tags;
  for (const auto& r : table.all()) {
    auto method = r->method;
    std::transform(method.begin(), method.end(), method.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    paths[r->path][method] = operation_of(*r);
    tags.insert(r->tag);
  }
  json tag_list = json::array();
  for (const auto& tag : tags) tag_list.push_back({{"name", tag}});
  return {
      {"openapi", "3.1.0"},
      {"info",
       {{"title", "Tobit"},
        {"version", version},
        {"description", "JSON answers are wrapped as `{time, code, message, data, metadata}`; `code` is 0 for success. "
                        "Errors carry their stable name in `data.error`. Every answer names its trace in `X-Trace-ID`. "
                        "`X-Request-Timeout` (seconds, at most 60) sets the deadline of a request."}}},
      {"servers", {{{"url", "/"}}}},
      {"tags", tag_list},
      {"security", {{{"bearer", json::array()}}, {{"api_key", json::array()}}}},
      {"paths", paths},
      {"components",
       {{"schemas", {{"Error", error_schema()}, {"RuleDefinition", rule::rule_schema()}}},
        {"securitySchemes",
         {{"bearer",
           {{"type", "http"}, {"scheme", "bearer"}, {"description", "An access token, or an API key (sk_…)."}}},
          {"api_key", {{"type", "apiKey"}, {"in", "header"}, {"name", "X-API-Key"}}}}}}}};
}

} // namespace tobit::http
