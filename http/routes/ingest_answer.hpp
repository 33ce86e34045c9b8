#pragma once

#include "http/codec/shape.hpp"
#include "http/route/exchange.hpp"
#include "runtime/intake/event_intake.hpp"

namespace tobit::http {

/// {accepted, duplicate, rejected, rejections} and what `further` adds. If nothing was taken and something was refused
/// the answer is the first refusal. `what`: the refused things in words, e.g. "events".
void answer_ingest(const exchange_ptr& ex, const event::ingest_report& report, const json& further = json::object(),
                   std::string_view what = "events");

std::vector<field> ingest_answer_fields();

} // namespace tobit::http
