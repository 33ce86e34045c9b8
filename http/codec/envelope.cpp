#include "http/codec/envelope.hpp"

namespace tobit::http {

namespace {

std::string opened(utc_time now, int code) {
  std::string out;
  out.reserve(256);
  out += R"({"time":")";
  out += to_rfc3339(now);
  out += R"(","code":)";
  out += std::to_string(code);
  return out;
}

} // namespace

std::string success_envelope(utc_time now, const json& body, const json& metadata) {
  auto out = opened(now, 0);
  out += R"(,"message":"OK","data":)";
  out += to_text(body);
  out += R"(,"metadata":)";
  out += metadata.is_null() ? "null" : to_text(metadata);
  out += '}';
  return out;
}

std::string error_envelope(utc_time now, const error& why, const std::string& trace, const json& details) {
  const auto& row = describe(why.code);
  json body = details.is_object() ? details : json::object();
  body["error"] = row.name;
  body["trace_id"] = trace;
  if (!why.pointer.empty()) body["pointer"] = why.pointer;
  auto out = opened(now, static_cast<int>(row.code));
  out += R"(,"message":)";
  out += to_text(json(why.text()));
  out += R"(,"data":)";
  out += to_text(body);
  out += R"(,"metadata":null})";
  return out;
}

std::string to_hyphenated(const trace_id& id) {
  auto text = to_string(id);
  for (auto at : {8u, 13u, 18u, 23u}) text.insert(at, 1, '-');
  return text;
}

json time_or_null(std::int64_t micros) { return micros == 0 ? json(nullptr) : json(to_rfc3339(from_micros(micros))); }

} // namespace tobit::http
