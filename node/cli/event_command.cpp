#include "node/cli/commands.hpp"
#include "node/cli/event_send.hpp"

#include <CLI/CLI.hpp>

#include <ostream>

namespace tobit::cli {

void add_event_commands(CLI::App& app, command_line& line) {
  auto* event = app.add_subcommand("event", "Send events");
  event->require_subcommand(1);

  auto options = std::make_shared<send_options>();
  auto* send = event->add_subcommand("send", "Send events from arguments, a file or standard input");
  add_node_flags(*send, line);
  send->add_option("EVENT", options->events, "Events as JSON: {\"type\": …, \"data\": …} or CloudEvents");
  send->add_option("-f,--file", options->file, "JSON (an event or a list) or NDJSON (one a line); - for standard input")
      ->type_name("FILE");
  send->add_option("--chunk", options->chunk, "Events in one request (default 1000)")
      ->check(CLI::Range(1, 10'000))
      ->type_name("N");
  send->add_option("--parallel", options->parallel, "Requests under way (default 4)")
      ->check(CLI::Range(1, 64))
      ->type_name("N");
  send->footer(R"(Without arguments and file, standard input is read. Events without an id get one from the
node; give ids to make a repeated sending count once.

Examples:
  tobit event send '{"type":"door.opened","data":{"door":7}}'
  tobit event send -f events.ndjson
  journalctl -o json -f | jq -c '{type:"journal",data:.}' | tobit event send)");
  send->callback([&line, options] { line.chosen = [&line, options] { return send_events(line, *options); }; });
}

} // namespace tobit::cli
