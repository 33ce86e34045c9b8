#include "node/cli/node_client.hpp"
#include "node/cli/text_table.hpp"

#include <cctype>

namespace tobit::cli {

namespace {

std::string text_of(const json& object, const char* name) {
  if (!object.is_object()) return {};
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

node_failure no_answer(const std::string& url, const error& why) {
  node_failure failure;
  failure.code = unreachable;
  failure.name = std::string(describe(why.code).name);
  failure.message = why.code == error_code::deadline_exceeded
                        ? "No answer from " + url + " in time; is the node busy? A longer --timeout may help."
                        : "No answer from " + url + ": " + std::string(why.text()) +
                              " Is a node running there (`tobit serve`)? Another one: --url or TOBIT_URL.";
  return failure;
}

node_failure not_a_node(const std::string& url, int status) {
  node_failure failure;
  failure.code = unreachable;
  failure.status = status;
  failure.name = "EXTERNAL_SERVICE_ERROR";
  failure.message = url + " answered " + std::to_string(status) + ", but not as a Tobit node does; check the address.";
  return failure;
}

} // namespace

std::string to_string(const node_failure& failure) {
  std::string out = printable(failure.message);
  if (!failure.pointer.empty()) out += "\n  field  " + printable(failure.pointer);
  if (!failure.name.empty()) {
    out += "\n  error  " + printable(failure.name);
    if (failure.status != 0) out += " (HTTP " + std::to_string(failure.status) + ")";
  }
  if (!failure.trace.empty()) out += "\n  trace  " + printable(failure.trace);
  return out;
}

json to_json(const node_failure& failure) {
  json out{{"error", failure.name}, {"message", failure.message}, {"status", failure.status}};
  if (!failure.pointer.empty()) out["pointer"] = failure.pointer;
  if (!failure.trace.empty()) out["trace_id"] = failure.trace;
  return out;
}

outcome<node_answer> read_answer(const std::string& url, result<outbound::http_response> answer) {
  using failed = tl::unexpected<node_failure>;
  if (!answer) return failed(no_answer(url, answer.error()));
  const bool success = answer->status >= 200 && answer->status < 300;
  if (success && answer->body.empty()) return node_answer{answer->status, nullptr, nullptr};
  auto envelope = parse_json(answer->body);
  if (!envelope || !envelope->is_object() || !envelope->contains("code"))
    return failed(not_a_node(url, answer->status));
  const auto data = envelope->value("data", json());
  if (success && envelope->value("code", json()) == 0)
    return node_answer{answer->status, data, envelope->value("metadata", json())};
  node_failure failure;
  failure.status = answer->status;
  failure.message = text_of(*envelope, "message");
  failure.name = text_of(data, "error");
  failure.pointer = text_of(data, "pointer");
  failure.trace = text_of(data, "trace_id");
  failure.details = data;
  if (auto wait = config::parse_integer(answer->header("retry-after")))
    failure.retry_after = std::chrono::seconds{*wait};
  if (failure.message.empty()) failure.message = "The node refused without a reason.";
  return failed(std::move(failure));
}

std::string percent_encode(std::string_view text) {
  constexpr const char* digits = "0123456789ABCDEF";
  std::string out;
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) || c == '-' || c == '.' || c == '_' || c == '~') {
      out += c;
      continue;
    }
    out += '%';
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
  return out;
}

} // namespace tobit::cli
