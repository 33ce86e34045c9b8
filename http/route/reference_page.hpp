#pragma once

#include "http/route/route_table.hpp"

#include <string>
#include <string_view>

namespace tobit::http {

/// The route table as a page for people: plain HTML without scripts, its style from `/docs/style.css`.
std::string write_docs_page(const route_table& table, const std::string& version);
std::string_view docs_style() noexcept;

/// The same facts as Markdown, for `docs/reference/endpoints.md` and `docs/reference/errors.md`.
std::string write_endpoint_reference(const route_table& table);
std::string write_error_reference();

} // namespace tobit::http
