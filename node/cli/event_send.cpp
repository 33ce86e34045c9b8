#include "node/cli/event_send.hpp"

#include "node/cli/progress_bar.hpp"
#include "node/cli/request_window.hpp"
#include "node/cli/rule_list.hpp"
#include "node/cli/text_table.hpp"

#include <algorithm>
#include <fstream>
#include <map>
#include <optional>
#include <ostream>
#include <sstream>
#include <utility>

namespace tobit::cli {

namespace {

/// A chunk is also full at this size, well below the node's limit of a request.
constexpr std::size_t chunk_bytes_max = 4u << 20;
/// Rejected events that are listed; the rest is counted.
constexpr std::size_t listed_max = 100;

struct chunk {
  std::size_t first = 1; ///< number of its first event
  std::size_t count = 0;
  std::string body;
};

class delivery {
public:
  delivery(const command_line& line, const send_options& options, node_client& node)
      : line_(line)
      , options_(options)
      , live_(options.events.empty() && (options.file.empty() || options.file == "-"))
      , window_(node, options.parallel)
      , bar_(*line.around.err, line.around.err_is_terminal, line.around.columns, "events", 0) {}

  /// One more event; waits while too many requests are under way. False once the node is lost.
  bool take(const std::string& event, std::size_t number) {
    if (filling_.count >= options_.chunk ||
        (filling_.count > 0 && filling_.body.size() + event.size() > chunk_bytes_max))
      flush();
    if (filling_.count == 0) filling_.first = number;
    filling_.body += event;
    filling_.body += '\n';
    ++filling_.count;
    if (live_ && line_.around.input_pauses && line_.around.input_pauses()) flush(); // nobody knows when the next comes
    return !lost_;
  }

  int finish(const std::optional<std::string>& flaw) {
    if (!flaw) flush();
    while (window_.under_way() > 0) receive();
    bar_.clear();
    show();
    if (lost_ && filling_.count > 0 && !line_.node->json)
      *line_.around.err << "Event " << filling_.first << " and those after it were not sent.\n";
    if (lost_) return report(line_, *lost_);
    if (flaw) return complain(line_, *flaw);
    return rejected_ > 0 || failed_ > 0 ? refused : ok;
  }

private:
  void flush() {
    if (filling_.count == 0 || lost_) return;
    while (!window_.room()) receive();
    if (lost_) return;
    const auto id = next_id_++;
    window_.start(id, {"POST", "/cep/events/ingest", filling_.body, "application/x-ndjson"});
    filling_.body.clear();
    under_way_[id] = std::exchange(filling_, {});
  }

  void receive() {
    auto one = window_.next();
    bar_.advance(accepted_ + duplicate_ + rejected_ + failed_);
    if (!one) return;
    const auto sent = std::move(under_way_.extract(one->id).mapped());
    if (one->answer) return count(sent, one->answer->data);
    const auto& why = one->answer.error();
    if (why.details.is_object() && why.details.contains("rejections"))
      return count(sent, why.details); // not one was good
    failed_ += sent.count;
    if (why.code == unreachable || why.status == 401 || why.status == 403) lost_ = why;
    note({{"first", sent.first}, {"count", sent.count}, {"reason", to_json(why)}},
         "events " + std::to_string(sent.first) + " to " + std::to_string(sent.first + sent.count - 1) + ": " +
             to_string(why));
  }

  void count(const chunk& sent, const json& data) {
    const auto number = [&data](const char* name) {
      return data.is_object() && data.contains(name) && data[name].is_number_unsigned() ? data[name].get<std::size_t>()
                                                                                        : std::size_t{0};
    };
    accepted_ += number("accepted");
    duplicate_ += number("duplicate");
    rejected_ += number("rejected");
    const auto listed = data.is_object() ? data.value("rejections", json::array()) : json::array();
    for (const auto& row : listed) {
      if (!row.is_object() || !row.contains("index") || !row["index"].is_number_unsigned()) continue;
      const auto event = sent.first + row["index"].get<std::size_t>();
      auto detail = row;
      detail["event"] = event;
      detail.erase("index");
      const auto pointer = text_at(row, "pointer");
      note(detail, "event " + std::to_string(event) + ": " + text_at(row, "reason") +
                       (pointer.empty() ? "" : " (" + pointer + ")") + "  " + text_at(row, "error"));
    }
  }

  void note(json detail, const std::string& text) {
    if (notes_.size() >= listed_max) return;
    notes_.push_back(std::move(detail));
    if (line_.node->json) return;
    bar_.clear();
    *line_.around.err << "refused  " << printable(text) << '\n';
  }

  void show() const {
    auto& out = *line_.around.out;
    if (line_.node->json) {
      out << to_text(json{{"accepted", accepted_},
                          {"duplicate", duplicate_},
                          {"rejected", rejected_},
                          {"not_acknowledged", failed_},
                          {"refusals", notes_}})
          << '\n';
      return;
    }
    out << accepted_ << " accepted, " << duplicate_ << " duplicate, " << rejected_ << " rejected";
    if (failed_ > 0) out << ", " << failed_ << " not acknowledged";
    out << '\n';
  }

  const command_line& line_;
  const send_options& options_;
  const bool live_; ///< standard input: may be a pipe that never ends
  request_window window_;
  progress_bar bar_;
  chunk filling_;
  std::map<std::size_t, chunk> under_way_;
  std::size_t next_id_ = 0;
  std::size_t accepted_ = 0, duplicate_ = 0, rejected_ = 0, failed_ = 0;
  json notes_ = json::array();
  std::optional<node_failure> lost_;
};

/// Feeds arguments, file or standard input into `take`.
tl::expected<void, std::string> read_events(const command_line& line, const send_options& options,
                                            const std::function<bool(std::string, std::size_t)>& take) {
  if (!options.events.empty()) {
    std::istringstream joined;
    std::size_t number = 0;
    for (std::size_t i = 0; i < options.events.size(); ++i) {
      joined = std::istringstream(options.events[i]);
      auto done = split_events(joined, "argument " + std::to_string(i + 1),
                               [&](std::string event, std::size_t) { return take(std::move(event), ++number); });
      if (!done) return done;
    }
    return {};
  }
  if (options.file.empty() || options.file == "-") return split_events(*line.around.in, "standard input", take);
  std::ifstream in(options.file, std::ios::binary);
  if (!in) return tl::unexpected<std::string>(options.file + " cannot be read.");
  return split_events(in, options.file, take);
}

} // namespace

int send_events(const command_line& line, const send_options& options) {
  if (options.events.empty() && options.file.empty() && line.around.in_is_terminal)
    return complain(
        line, "No events; give them as arguments, with -f FILE, or on standard input. See `tobit event send --help`.");
  int code = ok;
  const auto client = open_client(line, code);
  if (!client) return code;
  if (auto session = client->call("GET", "/auth/me"); !session)
    return report(line, session.error()); // renews a login that ran out
  delivery run(line, options, *client);
  const auto read =
      read_events(line, options, [&run](std::string event, std::size_t number) { return run.take(event, number); });
  return run.finish(read ? std::nullopt : std::optional<std::string>(read.error()));
}

} // namespace tobit::cli
