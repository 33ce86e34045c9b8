#include "node/cli/node_client.hpp"

#include "config/formats.hpp"
#include "node/cli/node_address.hpp"

#include <future>
#include <ostream>
#include <utility>

namespace tobit::cli {

namespace {

/// Largest answer that is read: a page of a list, or the whole list of rules.
constexpr std::size_t answer_max = 64u << 20;

tl::unexpected<node_failure> misused(std::string message) {
  node_failure failure;
  failure.code = usage;
  failure.name = "USAGE";
  failure.message = std::move(message);
  return tl::unexpected<node_failure>(std::move(failure));
}

std::string first_of(std::string a, std::string b) { return a.empty() ? std::move(b) : std::move(a); }

} // namespace

node_client::node_client(const surroundings& around, const node_options& options)
    : around_(around), store_(around), url_(chosen_node_url(around, options.url)) {}

outcome<std::unique_ptr<node_client>> node_client::make(const surroundings& around, const node_options& options) {
  std::unique_ptr<node_client> client(new node_client(around, options));
  const auto address = parse_node_address(client->url_);
  if (!address)
    return misused("'" + client->url_ + "' is not the address of a node; write it like http://127.0.0.1:8000.");
  client->url_ = address->url;
  const auto timeout = config::parse_duration(options.timeout);
  if (!timeout || timeout->count() <= 0)
    return misused("'" + options.timeout + "' is not a time to wait; write it like 30s or 5m.");
  client->timeout_ = std::chrono::ceil<std::chrono::milliseconds>(*timeout);
  outbound::http_client_options http;
  http.guard.allow = {address->authority}; // the person at the keyboard chose it; the guard is against rules
  http.user_agent = "tobit-cli";
  auto made = around.make_client(http);
  if (!made) return misused(std::string(made.error().text()));
  client->http_ = std::move(*made);
  if (auto known = client->find_identity(options); !known) return tl::unexpected<node_failure>(known.error());
  return client;
}

outcome<void> node_client::find_identity(const node_options& options) {
  const bool flags = !options.token.empty() || !options.api_key.empty() || !options.user.empty();
  const auto given = [&](const std::string& flag, const char* variable) {
    return flags ? flag : around_.variable(variable);
  };
  bearer_ = given(options.token, "TOBIT_TOKEN");
  if (!bearer_.empty()) return {};
  api_key_ = given(options.api_key, "TOBIT_API_KEY");
  if (!api_key_.empty()) return {};
  auto user = given(options.user, "TOBIT_USER");
  if (!user.empty()) return sign_in_as(std::move(user), first_of(options.password, around_.variable("TOBIT_PASSWORD")));
  remembered_ = store_.find(url_);
  if (remembered_) bearer_ = remembered_->access_token;
  return {};
}

outcome<void> node_client::sign_in_as(std::string user, std::string password) {
  user_ = std::move(user);
  password_ = std::move(password);
  remembered_ = store_.find(url_);
  if (remembered_ && remembered_->user == user_) { // a password costs the node time; a token does not
    bearer_ = remembered_->access_token;
    return {};
  }
  if (password_.empty() && around_.ask_password)
    password_ = around_.ask_password("Password of " + user_ + " at " + url_ + ": ").value_or("");
  if (password_.empty()) return misused("The password of " + user_ + " is missing; give TOBIT_PASSWORD or --password.");
  auto answer = sign_in(user_, password_);
  if (!answer) return tl::unexpected<node_failure>(std::move(answer.error()));
  return {};
}

outbound::http_request node_client::request(const std::string& method, const std::string& path) const {
  outbound::http_request out;
  out.method = method;
  out.url = url_ + path;
  out.timeout = timeout_;
  out.response_max = answer_max;
  out.headers = {{"Accept", "application/json"}};
  if (!bearer_.empty())
    out.headers.emplace_back("Authorization", "Bearer " + bearer_);
  else if (!api_key_.empty())
    out.headers.emplace_back("X-API-Key", api_key_);
  return out;
}

outcome<node_answer> node_client::exchange(const std::string& method, const std::string& path, const json& body) {
  // Shared with the callback, which may come after this gave up waiting.
  auto promise = std::make_shared<std::promise<outcome<node_answer>>>();
  auto future = promise->get_future();
  start(method, path, body.is_null() ? std::string{} : to_text(body), "application/json",
        [promise](outcome<node_answer> answer) { promise->set_value(std::move(answer)); });
  if (future.wait_for(timeout_ + std::chrono::seconds{5}) == std::future_status::ready) return future.get();
  return read_answer(url_, fail(error_code::deadline_exceeded));
}

void node_client::start(const std::string& method, const std::string& path, std::string body,
                        const std::string& content_type, std::function<void(outcome<node_answer>)> done) {
  auto out = request(method, path);
  if (!body.empty()) out.headers.emplace_back("Content-Type", content_type);
  out.body = std::move(body);
  http_->send(std::move(out), [url = url_, done = std::move(done)](result<outbound::http_response> answer) {
    done(read_answer(url, std::move(answer)));
  });
}

outcome<node_answer> node_client::call(const std::string& method, const std::string& path, const json& body) {
  auto answer = exchange(method, path, body);
  if (answer || answer.error().status != 401) return answer;
  if (remembered_ && renew()) return exchange(method, path, body);
  if (bearer_.empty() && api_key_.empty())
    answer.error().message =
        "Nobody is signed in at " + url_ + "; run `tobit login` or set TOBIT_TOKEN or TOBIT_API_KEY.";
  return answer;
}

bool node_client::renew() {
  const auto before = *remembered_;
  bearer_.clear();
  if (!before.refresh_token.empty())
    if (auto fresh = exchange("POST", "/auth/refresh", {{"refresh_token", before.refresh_token}})) {
      take_tokens(before.user, fresh->data);
      if (!bearer_.empty()) return true;
    }
  if (!password_.empty() && sign_in(user_, password_)) return true;
  bearer_ = before.access_token; // so that the refusal stays the one that the person sees
  return false;
}

void node_client::take_tokens(const std::string& user, const json& data) {
  const auto text = [&data](const char* name) {
    return data.is_object() && data.contains(name) && data[name].is_string() ? data[name].get<std::string>()
                                                                             : std::string{};
  };
  saved_tokens tokens{user, text("access_token"), text("refresh_token")};
  if (tokens.access_token.empty()) return;
  if (tokens.refresh_token.empty() && remembered_) tokens.refresh_token = remembered_->refresh_token;
  bearer_ = tokens.access_token;
  remembered_ = tokens;
  if (auto saved = store_.save(url_, tokens); !saved) *around_.err << "tobit: " << saved.error().text() << '\n';
}

outcome<node_answer> node_client::sign_in(const std::string& user, const std::string& password) {
  bearer_.clear();
  api_key_.clear();
  remembered_.reset();
  auto answer = exchange("POST", "/auth/login", {{"email", user}, {"password", password}});
  if (answer) take_tokens(user, answer->data);
  return answer;
}

outcome<void> node_client::sign_out() {
  auto answer = exchange("POST", "/auth/logout", nullptr);
  if (auto done = store_.forget(url_); !done) return misused(std::string(done.error().text()));
  if (!answer && answer.error().code == unreachable) return tl::unexpected<node_failure>(std::move(answer.error()));
  return {};
}

} // namespace tobit::cli
