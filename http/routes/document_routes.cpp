#include "http/route/openapi.hpp"
#include "http/route/reference_page.hpp"
#include "http/routes/route_deps.hpp"

namespace tobit::http {

namespace {

struct document {
  std::string body, tag;
  void write(std::string text) {
    tag = '"' + secret_hash(text).substr(0, 16) + '"';
    body = std::move(text);
  }
};

/// Browsers ask again each time and get the document only if it changed.
route constant(const char* path, const char* operation, const char* summary, std::string content_type,
               std::shared_ptr<const document> shown) {
  auto handler = [shown, content_type](const exchange_ptr& ex) {
    response out;
    out.headers = {{"Cache-Control", "no-cache"}, {"ETag", shown->tag}};
    out.content_type = content_type;
    // A compressed answer carried the weak form of the tag.
    auto known = ex->incoming().header("if-none-match");
    if (known.starts_with("W/")) known.remove_prefix(2);
    if (known == shown->tag)
      out.status = 304;
    else
      out.body = shown->body;
    ex->send(std::move(out));
  };
  return {.method = "GET",
          .path = path,
          .operation = operation,
          .tag = "documentation",
          .summary = summary,
          .needs = access::anybody(),
          .answers = {.type = text(), .content_type = content_type, .enveloped = false},
          .handler = std::move(handler)};
}

} // namespace

void add_document_routes(route_table& table, const route_deps& deps) {
  const auto openapi = std::make_shared<document>(), page = std::make_shared<document>(),
             style = std::make_shared<document>();
  table.add(constant("/openapi.json", "get_openapi", "This interface as an OpenAPI 3.1 document.", "application/json",
                     openapi));
  table.add(constant("/", "get_start", "Where a browser begins: the same page.", "text/html; charset=utf-8", page));
  table.add(constant("/docs", "get_docs", "This interface as a page for people.", "text/html; charset=utf-8", page));
  table.add(constant("/docs/style.css", "get_docs_style", "How that page looks.", "text/css; charset=utf-8", style));
  // The documents list themselves, so they are written when the table is complete.
  openapi->write(to_text(write_openapi(table, deps.version)));
  page->write(write_docs_page(table, deps.version));
  style->write(std::string(docs_style()));
}

} // namespace tobit::http
