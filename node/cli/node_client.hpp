#pragma once

#include "node/cli/surroundings.hpp"
#include "node/cli/token_store.hpp"
#include "schemas/json.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace tobit::cli {

/// Which node, as whom. Filled from flags; what is empty comes from the environment.
struct node_options {
  std::string url, token, api_key, user, password;
  std::string timeout = "30s";
  bool json = false; ///< results as JSON
};

/// What a node answered when it did what was asked.
struct node_answer {
  int status = 200;
  json data;     ///< `data` of the envelope
  json metadata; ///< `metadata` of the envelope
};

/// Why it did not.
struct node_failure {
  exit_code code = refused;
  int status = 0;   ///< HTTP status; 0: there was no answer
  std::string name; ///< error name, e.g. "VALIDATION_ERROR"
  std::string message;
  std::string pointer; ///< JSON pointer into what was sent
  std::string trace;
  json details; ///< `data` of the envelope
  std::chrono::seconds retry_after{0};

  /// The node took nothing and said so: the same request may be sent again.
  bool retryable() const noexcept { return status == 429 || status == 503; }
};
/// For people: sentence, field, error name and trace id.
std::string to_string(const node_failure& failure);
json to_json(const node_failure& failure);

template <class T>
using outcome = tl::expected<T, node_failure>;

/// Reads an envelope, or whatever else stands in its place (a proxy's page, a truncated answer).
outcome<node_answer> read_answer(const std::string& url, result<outbound::http_response> answer);

/// Percent-encodes one segment of a path or one value of a query (RFC 3986, unreserved characters stay).
std::string percent_encode(std::string_view text);

/// Talks to one node. Identity, the first that is given: --token, --api-key, --user with --password; then TOBIT_TOKEN,
/// TOBIT_API_KEY, TOBIT_USER with TOBIT_PASSWORD; then the login remembered for this address.
class node_client {
public:
  /// Errors: usage (malformed address or times).
  static outcome<std::unique_ptr<node_client>> make(const surroundings& around, const node_options& options);

  /// One request, waiting for its answer. A remembered login that has run out is renewed once.
  /// `body` null: none.
  outcome<node_answer> call(const std::string& method, const std::string& path, const json& body = nullptr);

  /// The same without waiting: `done` is called once, on another thread, and must not block. Call `call` once before,
  /// so that a login is renewed where it can be.
  void start(const std::string& method, const std::string& path, std::string body, const std::string& content_type,
             std::function<void(outcome<node_answer>)> done);

  /// Asks for tokens and remembers them.
  outcome<node_answer> sign_in(const std::string& user, const std::string& password);
  /// Ends the login on the node and forgets it.
  outcome<void> sign_out();

  const std::string& url() const noexcept { return url_; }

private:
  node_client(const surroundings& around, const node_options& options);
  outcome<void> find_identity(const node_options& options);
  outcome<void> sign_in_as(std::string user, std::string password);
  bool renew();
  outcome<node_answer> exchange(const std::string& method, const std::string& path, const json& body);
  outbound::http_request request(const std::string& method, const std::string& path) const;
  void take_tokens(const std::string& user, const json& data);

  const surroundings& around_;
  token_store store_;
  std::string url_;
  std::chrono::milliseconds timeout_{30'000};
  std::unique_ptr<outbound::http_client> http_;
  std::string bearer_, api_key_;
  std::optional<saved_tokens> remembered_; ///< set if `bearer_` is from a login
  std::string user_, password_;            ///< to sign in again
};

} // namespace tobit::cli
