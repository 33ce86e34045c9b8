#include "node/cli/event_send.hpp"
#include "schemas/json.hpp"

#include <istream>

namespace tobit::cli {

namespace {

/// Largest input that is read as one JSON text, and longest line.
constexpr std::size_t whole_max = 256u << 20;

using failed = tl::unexpected<std::string>;
using taker = std::function<bool(std::string, std::size_t)>;

bool blank(std::string_view line) noexcept { return line.find_first_not_of(" \t\r") == std::string_view::npos; }

/// An event in one line; whether it is JSON is for the node to say, except for what decides how to go on.
bool complete(const std::string& line) { return json::accept(line); }

tl::expected<void, std::string> split_whole(std::string text, std::istream& in, const std::string& name,
                                            const taker& take) {
  std::string chunk(64u << 10, '\0');
  while (in.read(chunk.data(), static_cast<std::streamsize>(chunk.size())) || in.gcount() > 0) {
    text.append(chunk, 0, static_cast<std::size_t>(in.gcount()));
    if (text.size() > whole_max)
      return failed(name + ": is larger than 256 MB; write it as one event a line (NDJSON).");
  }
  const auto document = parse_json(text);
  if (!document) return failed(name + ": " + document.error().message);
  if (document->is_object()) {
    take(to_text(*document), 1);
    return {};
  }
  if (!document->is_array()) return failed(name + ": holds neither an event nor a list of events.");
  std::size_t number = 0;
  for (const auto& event : *document)
    if (!take(to_text(event), ++number)) break;
  return {};
}

} // namespace

tl::expected<void, std::string> split_events(std::istream& in, const std::string& name, const taker& take) {
  std::string line;
  std::size_t number = 0;
  while (std::getline(in, line)) {
    if (blank(line)) continue;
    const auto first = line[line.find_first_not_of(" \t\r")];
    // A list, or an object spread over lines, can only be read as a whole; that shows in the first line.
    if (number == 0 && (first == '[' || (first == '{' && !complete(line))))
      return split_whole(line + "\n", in, name, take);
    if (line.size() > whole_max) return failed(name + ": holds a line of more than 256 MB.");
    if (line.back() == '\r') line.pop_back();
    if (!take(std::move(line), ++number)) break;
    line.clear();
  }
  return {};
}

} // namespace tobit::cli
