#include "node/cli/commands.hpp"
#include "node/cli/text_table.hpp"

#include <CLI/CLI.hpp>

#include <ostream>

namespace tobit::cli {

namespace {

int login(const command_line& line) {
  const auto& around = line.around;
  auto options = *line.node;
  auto user = options.user.empty() ? around.variable("TOBIT_USER") : options.user;
  auto password = options.password.empty() ? around.variable("TOBIT_PASSWORD") : options.password;
  if (user.empty()) user = "admin";
  if (password.empty() && around.ask_password)
    password = around.ask_password("Password of " + user + ": ").value_or("");
  if (password.empty()) return complain(line, "The password is missing; set TOBIT_PASSWORD or give --password.");
  options.token = "none"; // keeps the client from signing in by itself first
  auto client = node_client::make(around, options);
  if (!client) return report(line, client.error());
  const auto answer = (*client)->sign_in(user, password);
  if (!answer) return report(line, answer.error());
  if (line.node->json)
    *around.out << to_text(json{{"url", (*client)->url()}, {"user", user}}) << '\n';
  else
    *around.out << "Signed in at " << (*client)->url() << " as " << printable(user) << ".\n";
  return ok;
}

int logout(const command_line& line) {
  int code = ok;
  const auto client = open_client(line, code);
  if (!client) return code;
  if (auto done = client->sign_out(); !done) return report(line, done.error());
  if (!line.node->json) *line.around.out << "Signed out at " << client->url() << ".\n";
  return ok;
}

} // namespace

void add_login_commands(CLI::App& app, command_line& line) {
  auto* in = app.add_subcommand("login", "Sign in at a node and remember it");
  add_node_flags(*in, line);
  in->footer("The tokens are kept in ~/.config/tobit/tokens.json (or $TOBIT_HOME), readable for you only.\n\n"
             "Examples:\n  tobit login\n  TOBIT_PASSWORD=… tobit login --user kim --url https://ops.example:8443");
  in->callback([&line] { line.chosen = [&line] { return login(line); }; });

  auto* out = app.add_subcommand("logout", "End the login at a node and forget it");
  add_node_flags(*out, line);
  out->callback([&line] { line.chosen = [&line] { return logout(line); }; });
}

} // namespace tobit::cli
