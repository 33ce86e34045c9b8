#pragma once

#include "http/edge.hpp"
#include "http/server/responder_channel.hpp"
#include "runtime/stream/event_bus.hpp"
#include "runtime/telemetry/metrics.hpp"
#include "tests/support/scratch_database.hpp"

#include <chrono>
#include <cstdlib>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace tobit::testing {

/// An event stream that keeps what it is sent.
class recorded_stream final : public http::event_stream {
public:
  bool send(std::shared_ptr<const std::string> bytes) override {
    std::lock_guard lock{guard_};
    if (closed_) return false;
    text_ += *bytes;
    return true;
  }
  void close() override {
    std::function<void()> told;
    {
      std::lock_guard lock{guard_};
      closed_ = true;
      told.swap(on_closed_);
    }
    if (told) told();
  }
  void on_closed(std::function<void()> callback) override {
    std::lock_guard lock{guard_};
    on_closed_ = std::move(callback);
  }
  std::string text() const {
    std::lock_guard lock{guard_};
    return text_;
  }
  bool closed() const {
    std::lock_guard lock{guard_};
    return closed_;
  }

private:
  mutable std::mutex guard_;
  std::string text_;
  bool closed_ = false;
  std::function<void()> on_closed_;
};

/// What became of a request: an answer, a stream, or nothing at all.
struct outcome {
  http::response answer;
  std::shared_ptr<recorded_stream> stream;

  int status() const { return answer.status; }
  json body() const { return json::parse(answer.body); }
  json data() const { return body().at("data"); }
  /// One value by its pointer, e.g. "/data/user/role"; null if it is not there.
  json at(const std::string& pointer) const { return body().value(json::json_pointer(pointer), json()); }
  std::string error() const { return data().value("error", ""); }
  std::string pointer() const { return data().value("pointer", ""); }
  std::string header(const std::string& name) const {
    for (const auto& [key, value] : answer.headers)
      if (key == name) return value;
    return {};
  }
};

/// Keeps the promise that every request is answered: an unanswered one shows as status 0.
class recording_channel final : public http::responder::channel {
public:
  explicit recording_channel(std::shared_ptr<std::promise<outcome>> to) : to_(std::move(to)) {}
  ~recording_channel() override {
    if (!done_) {
      outcome nothing;
      nothing.answer.status = 0;
      to_->set_value(std::move(nothing));
    }
  }
  void send(http::response answer) override {
    done_ = true;
    to_->set_value({std::move(answer), nullptr});
  }
  std::shared_ptr<http::event_stream> start_stream(http::response head) override {
    done_ = true;
    auto stream = std::make_shared<recorded_stream>();
    to_->set_value({std::move(head), stream});
    return stream;
  }

private:
  std::shared_ptr<std::promise<outcome>> to_;
  bool done_ = false;
};

/// A whole edge without a network: real database, fake time, requests handed in directly.
struct edge_fixture {
  using headers = http::header_list;

  scratch_database store;
  manual_clock time;
  telemetry::metrics figures;
  std::unique_ptr<stream::event_bus> bus = stream::make_event_bus();
  http::edge_options options;
  http::edge_deps deps;
  std::unique_ptr<http::edge> edge;
  std::string token; ///< of whoever signed in last

  /// SQLite, or PostgreSQL where the suite is run a second time with TOBIT_EDGE_DATABASE=postgresql.
  static database_kind kind() {
    const char* wanted = std::getenv("TOBIT_EDGE_DATABASE");
    return wanted && std::string(wanted) == "postgresql" ? database_kind::postgresql : database_kind::sqlite;
  }

  edge_fixture() : store(kind()) {
    options.cost = http::password_cost::minimum();
    options.hashing_threads = 0; // on the database's thread
    options.own_timer = false;
    options.metrics_public = true;
    deps.store = &store.get();
    deps.time = &time;
    deps.bus = bus.get();
    deps.figures = &figures;
    auto admin = http::bootstrap_admin(store.get(), time, "correct horse", options.cost);
    if (!admin) throw std::runtime_error(admin.error().message);
  }
  ~edge_fixture() {
    // Callbacks of accepted database work may still need the edge.
    if (edge) edge->stop(), edge->finish();
    store.close();
  }

  void start() {
    auto made = http::make_edge(deps, options);
    if (!made) throw std::runtime_error(made.error().message);
    edge = std::move(*made);
  }

  http::request make_request(std::string method, const std::string& target, std::string body, headers sent) const {
    http::request r;
    r.method = std::move(method);
    r.target = target;
    r.path = target.substr(0, target.find('?'));
    if (const auto mark = target.find('?'); mark != std::string::npos) {
      auto rest = target.substr(mark + 1);
      while (!rest.empty()) {
        const auto pair = rest.substr(0, rest.find('&'));
        const auto equals = pair.find('=');
        r.query.emplace_back(pair.substr(0, equals), equals == std::string::npos ? "" : pair.substr(equals + 1));
        rest.erase(0, pair.size() + 1);
      }
    }
    r.headers = std::move(sent);
    if (!token.empty() && r.header("authorization").empty() && r.header("x-api-key").empty())
      r.headers.emplace_back("authorization", "Bearer " + token);
    r.body = std::move(body);
    r.remote_address = "192.0.2.7";
    r.received_at = time.steady_now();
    return r;
  }

  std::future<outcome> send(std::string method, const std::string& target, std::string body = {}, headers sent = {}) {
    auto promise = std::make_shared<std::promise<outcome>>();
    auto answer = promise->get_future();
    edge->handle(make_request(std::move(method), target, std::move(body), std::move(sent)),
                 http::responder{std::make_shared<recording_channel>(promise)});
    return answer;
  }
  outcome ask(std::string method, const std::string& target, std::string body = {}, headers sent = {}) {
    auto answer = send(std::move(method), target, std::move(body), std::move(sent));
    if (answer.wait_for(std::chrono::seconds{10}) != std::future_status::ready)
      throw std::runtime_error("no answer to " + target);
    return answer.get();
  }
  outcome ask(std::string method, const std::string& target, const json& body, headers sent = {}) {
    return ask(std::move(method), target, body.dump(), std::move(sent));
  }
  outcome get(const std::string& target, headers sent = {}) {
    return ask("GET", target, std::string{}, std::move(sent));
  }

  /// Signs in; later requests carry the token. Gives the refresh token.
  std::string sign_in(const std::string& username = "admin", const std::string& password = "correct horse") {
    token.clear();
    const auto answer = ask("POST", "/auth/login", json{{"email", username}, {"password", password}});
    if (answer.status() != 200) throw std::runtime_error("sign in: " + answer.answer.body);
    token = answer.data().at("access_token");
    return answer.data().at("refresh_token");
  }
};

} // namespace tobit::testing
