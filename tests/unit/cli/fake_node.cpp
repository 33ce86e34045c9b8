#include "fake_node.hpp"

#include <filesystem>
#include <unistd.h>

using namespace tobit;

namespace {

class fake_client final : public outbound::http_client {
public:
  explicit fake_client(fake_shell& shell) : shell_(shell) {}
  void send(outbound::http_request request, std::function<void(result<outbound::http_response>)> done) override {
    shell_.requests.push_back(request);
    done(shell_.node ? shell_.node(request) : fail(error_code::connection_error, "Connection refused."));
  }

private:
  fake_shell& shell_;
};

} // namespace

fake_shell::fake_shell() {
  std::string name = (std::filesystem::temp_directory_path() / "tobit-cli-XXXXXX").string();
  home = ::mkdtemp(name.data());
  environment = {{"TOBIT_HOME", home}, {"TOBIT_DATA_DIR", home}};
}

fake_shell::~fake_shell() { std::filesystem::remove_all(home); }

int fake_shell::run(const std::vector<std::string>& arguments, const std::string& input) {
  std::istringstream in(input);
  std::ostringstream to_out, to_err;
  cli::surroundings around;
  around.in = &in;
  around.out = &to_out;
  around.err = &to_err;
  around.in_is_terminal = input_is_terminal;
  around.environment = environment;
  around.input_pauses = [this] { return input_pauses; };
  around.serve = [this](const config::settings& s) {
    served.push_back(s);
    return 0;
  };
  around.make_client =
      [this](const outbound::http_client_options& options) -> result<std::unique_ptr<outbound::http_client>> {
    allowed = options.guard.allow;
    return std::make_unique<fake_client>(*this);
  };
  around.ask_password = [this](std::string_view) {
    return password.empty() ? std::nullopt : std::optional<std::string>(password);
  };
  const int code = cli::run(arguments, around);
  out = to_out.str();
  err = to_err.str();
  return code;
}

outbound::http_response success(json data, json metadata) {
  outbound::http_response answer;
  answer.status = 200;
  answer.body = to_text({{"time", "2026-11-20T08:30:00.000000Z"},
                         {"code", 0},
                         {"message", "OK"},
                         {"data", data},
                         {"metadata", metadata}});
  return answer;
}

outbound::http_response refusal(int status, const std::string& name, const std::string& message,
                                const std::string& pointer) {
  outbound::http_response answer;
  answer.status = status;
  json data{{"error", name}, {"trace_id", "4bf92f3577b34da6a3ce929d0e0e4736"}};
  if (!pointer.empty()) data["pointer"] = pointer;
  answer.body = to_text({{"time", "2026-11-20T08:30:00.000000Z"},
                         {"code", 1},
                         {"message", message},
                         {"data", data},
                         {"metadata", nullptr}});
  return answer;
}

std::string sent_header(const outbound::http_request& request, const std::string& name) {
  for (const auto& [known, value] : request.headers)
    if (known == name) return value;
  return {};
}

const json& parsed(const std::string& text) {
  static json last;
  last = json::parse(text, nullptr, false);
  return last;
}
