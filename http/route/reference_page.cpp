#include "http/route/reference_page.hpp"

#include "http/route/openapi.hpp"

#include <map>
#include <vector>

namespace tobit::http {

namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '&')
      out += "&amp;";
    else if (c == '"')
      out += "&quot;";
    else
      out.push_back(c);
  }
  return out;
}

/// The type of a value in a word or two: "text (uuid)", "whole number 1..200", "list of object".
std::string type_in_words(const shape& s) {
  switch (s.is) {
  case shape::kind::object:
    return "object";
  case shape::kind::list:
    return "list of " + (s.items ? type_in_words(*s.items) : std::string("anything"));
  case shape::kind::text: {
    if (s.one_of.empty()) return s.format.empty() ? "text" : "text (" + s.format + ")";
    std::string words;
    for (const auto& word : s.one_of) words += (words.empty() ? "" : " or ") + word;
    return words;
  }
  case shape::kind::whole:
    return "whole number" + (s.at_least && s.at_most ? " " + std::to_string(static_cast<long long>(*s.at_least)) +
                                                           ".." + std::to_string(static_cast<long long>(*s.at_most))
                                                     : std::string{});
  case shape::kind::number:
    return "number";
  case shape::kind::flag:
    return "true or false";
  case shape::kind::anything:
    break;
  }
  return "anything";
}

struct input_row {
  std::string place, name, type, about;
  bool required;
};

void add_fields(std::vector<input_row>& rows, const shape& s, const std::string& prefix) {
  for (const auto& f : s.fields) {
    rows.push_back({"body", prefix + f.name, type_in_words(f.type), f.type.about, f.required});
    if (f.type.is == shape::kind::object) add_fields(rows, f.type, prefix + f.name + ".");
  }
}

/// Everything a route takes, parameters before the body's fields.
std::vector<input_row> inputs_of(const route& r) {
  std::vector<input_row> rows;
  for (const auto& p : r.parameters) {
    const char* place = p.in == parameter::place::path ? "path" : p.in == parameter::place::query ? "query" : "header";
    auto about = p.type.about;
    if (!p.type.otherwise.is_null())
      about += (about.empty() ? "" : " ") + ("Default: " + to_text(p.type.otherwise) + ".");
    rows.push_back({place, p.name, type_in_words(p.type), about, p.required});
  }
  if (r.body) add_fields(rows, r.body->type, "");
  return rows;
}

std::map<std::string, std::vector<const route*>> by_tag(const route_table& table) {
  std::map<std::string, std::vector<const route*>> groups;
  for (const auto& r : table.all()) groups[r->tag].push_back(r.get());
  return groups;
}

std::string route_article(const route& r) {
  std::string out = "<article id=\"" + r.operation + "\"><h3><span class=\"method " + r.method + "\">" + r.method +
                    "</span> <code>" + escaped(r.path) + "</code></h3><p>" + escaped(r.summary);
  if (!r.notes.empty()) out += " " + escaped(r.notes);
  out += "</p><p class=\"access\">Access: " + escaped(access_in_words(r.needs)) + "</p>";
  const auto inputs = inputs_of(r);
  if (!inputs.empty()) {
    out += "<table><thead><tr><th>In</th><th>Name</th><th>Type</th><th>Meaning</th></tr></thead><tbody>";
    for (const auto& in : inputs)
      out += "<tr><td>" + in.place + "</td><td><code>" + escaped(in.name) + "</code>" + (in.required ? " *" : "") +
             "</td><td>" + escaped(in.type) + "</td><td>" + escaped(in.about) + "</td></tr>";
    out += "</tbody></table>";
  }
  std::string errors;
  for (auto code : r.errors) errors += (errors.empty() ? "" : ", ") + std::string(describe(code).name);
  if (!errors.empty()) out += "<p class=\"errors\">Errors of its own: " + errors + "</p>";
  return out + "</article>";
}

/// Text for a cell of a Markdown table.
std::string cell(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '|')
      out += "\\|";
    else
      out.push_back(c == '\n' ? ' ' : c);
  }
  return out;
}

} // namespace

std::string_view docs_style() noexcept {
  return R"(:root { color-scheme: light dark; --line: #8884; --dim: #777; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
nav ul { columns: 3 16rem; list-style: none; padding: 0; } nav a { text-decoration: none; }
h2 { border-bottom: 1px solid var(--line); padding-bottom: .2rem; margin-top: 3rem; }
article { margin: 1.5rem 0; } h3 { font-size: 1rem; margin-bottom: .2rem; }
.method { display: inline-block; min-width: 4rem; font-weight: 700; } .GET { color: #2a7; } .POST { color: #28c; }
.PUT, .PATCH { color: #b70; } .DELETE { color: #c33; }
.access, .errors { color: var(--dim); font-size: .9rem; margin: .2rem 0; }
table { border-collapse: collapse; font-size: .9rem; } td, th { text-align: left; padding: .15rem .8rem .15rem 0; border-top: 1px solid var(--line); vertical-align: top; }
)";
}

std::string write_docs_page(const route_table& table, const std::string& version) {
  const auto groups = by_tag(table);
  std::string out =
      "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Tobit API</title>"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
      "<link rel=\"stylesheet\" href=\"/docs/style.css\"></head><body><h1>Tobit API</h1><p>Version " +
      escaped(version) +
      ". The same as a document for programs: <a href=\"/openapi.json\">/openapi.json</a>. JSON answers are "
      "wrapped as <code>{time, code, message, data, metadata}</code>; <code>code</code> is 0 for success, an "
      "error carries its name in <code>data.error</code>. * marks what must be there.</p><nav>";
  for (const auto& [tag, routes] : groups) {
    out += "<h4>" + escaped(tag) + "</h4><ul>";
    for (const auto* r : routes)
      out += "<li><a href=\"#" + r->operation + "\">" + r->method + " " + escaped(r->path) + "</a></li>";
    out += "</ul>";
  }
  out += "</nav>";
  for (const auto& [tag, routes] : groups) {
    out += "<section><h2>" + escaped(tag) + "</h2>";
    for (const auto* r : routes) out += route_article(*r);
    out += "</section>";
  }
  return out + "</body></html>";
}

std::string write_endpoint_reference(const route_table& table) {
  std::string out = "# Endpoints\n\nMade from the route table; `/docs` of a running node shows the same. A `*` marks "
                    "what must be there.\n";
  for (const auto& [tag, routes] : by_tag(table)) {
    out += "\n## " + tag + "\n";
    for (const auto* r : routes) {
      out += "\n### " + r->method + " " + r->path + "\n\n" + r->summary + (r->notes.empty() ? "" : " " + r->notes) +
             "\n\n";
      out += "Access: " + access_in_words(r->needs) + ". Answers " + std::to_string(r->answers.status);
      for (auto status : r->answers.also) out += " or " + std::to_string(status);
      out += r->answers.enveloped ? ".\n" : " with `" + r->answers.content_type + "`.\n";
      std::string errors;
      for (auto code : r->errors) errors += (errors.empty() ? "" : ", ") + std::string(describe(code).name);
      if (!errors.empty()) out += "Errors of its own: " + errors + ".\n";
      const auto inputs = inputs_of(*r);
      if (inputs.empty()) continue;
      out += "\n| in | name | type | meaning |\n|---|---|---|---|\n";
      for (const auto& in : inputs)
        out += "| " + in.place + " | `" + in.name + "`" + (in.required ? " *" : "") + " | " + cell(in.type) + " | " +
               cell(in.about) + " |\n";
    }
  }
  return out;
}

std::string write_error_reference() {
  std::string out =
      "# Errors\n\nMade from `schemas/errors.def`. `data.error` of an answer holds the name, `code` the number.\n\n"
      "| name | code | HTTP | may be repeated | what to do |\n|---|---|---|---|---|\n";
  for (const auto& row : error_table())
    out += "| " + std::string(row.name) + " | " + std::to_string(static_cast<int>(row.code)) + " | " +
           std::to_string(row.http_status) + " | " + (row.retryable ? "yes" : "no") + " | " + cell(row.sentence) +
           " |\n";
  return out;
}

} // namespace tobit::http
