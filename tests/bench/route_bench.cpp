// What the edge adds to a request above the server: route, rights, limits, envelope, headers, metrics. One thread hands
// requests to the handler directly; answers are thrown away.
#include "http/edge.hpp"
#include "http/server/responder_channel.hpp"
#include "schemas/rule/rule_protocol.hpp"

#include <atomic>
#include <chrono>
#include <filesystem>
#include <future>
#include <iostream>
#include <string>
#include <unistd.h>

using namespace tobit;

namespace {

/// Throws answers away, or keeps one for whoever asked for it.
class sink final : public http::responder::channel {
public:
  explicit sink(std::promise<http::response>* wanted = nullptr) : wanted_(wanted) {}
  void send(http::response answer) override {
    if (wanted_) wanted_->set_value(std::move(answer));
  }
  std::shared_ptr<http::event_stream> start_stream(http::response) override { return nullptr; }

private:
  std::promise<http::response>* wanted_;
};

/// Answers at once, so that only the edge's own work is measured.
class instant_entities final : public entity::entity_gateway {
public:
  void ask(entity_ref, call_context, message request, reply_handler reply) override {
    if (request.as<rule::simulate_rule>())
      return reply(message::of(rule::rule_simulated{{{"condition_evaluated", true}, {"would_execute", true}}}));
    reply(fail(error_code::not_found));
  }
};

class bench {
public:
  explicit bench(const std::string& folder) {
    auto opened = storage::open_sqlite(folder + "/bench.db");
    if (!opened) throw std::runtime_error(opened.error().message);
    store_ = std::move(*opened);
    if (auto admin = http::bootstrap_admin(*store_, time_, "password", http::password_cost::minimum()); !admin)
      throw std::runtime_error(admin.error().message);
    http::edge_deps deps;
    deps.store = store_.get();
    deps.time = &time_;
    deps.entities = &entities_;
    deps.figures = &figures_;
    http::edge_options options;
    options.cost = http::password_cost::minimum();
    auto made = http::make_edge(deps, options);
    if (!made) throw std::runtime_error(made.error().message);
    edge_ = std::move(*made);
    const auto answer = ask("POST", "/auth/login", R"({"email":"admin","password":"password"})");
    token_ = "Bearer " + json::parse(answer.body).at("data").at("access_token").get<std::string>();
  }

  /// Prints the nanoseconds of one request: the best of five rounds, because others use the machine, too.
  void measure(const std::string& name, const char* method, const std::string& path, const std::string& body,
               double target) {
    constexpr int requests = 20'000;
    auto best = std::chrono::nanoseconds::max();
    for (int round = 0; round < 5; ++round) {
      const auto begin = std::chrono::steady_clock::now();
      for (int i = 0; i < requests; ++i)
        edge_->handle(make(method, path, body), http::responder{std::make_shared<sink>()});
      best = std::min(best, std::chrono::nanoseconds{(std::chrono::steady_clock::now() - begin) / requests});
    }
    std::cout << "bench " << name << ' ' << best.count() << " ns less " << target << std::endl;
  }

private:
  http::request make(const char* method, const std::string& path, const std::string& body) const {
    http::request r;
    r.method = method;
    r.target = r.path = path;
    r.headers = {
        {"host", "127.0.0.1:8000"}, {"user-agent", "bench"}, {"accept", "*/*"}, {"content-type", "application/json"}};
    if (!token_.empty()) r.headers.emplace_back("authorization", token_);
    r.body = body;
    r.remote_address = "127.0.0.1";
    r.received_at = time_.steady_now();
    return r;
  }

  http::response ask(const char* method, const std::string& path, const std::string& body) {
    std::promise<http::response> wanted;
    auto answer = wanted.get_future();
    edge_->handle(make(method, path, body), http::responder{std::make_shared<sink>(&wanted)});
    return answer.get();
  }

  system_clock time_;
  telemetry::metrics figures_;
  instant_entities entities_;
  std::unique_ptr<http::edge> edge_;
  std::unique_ptr<storage::database> store_; ///< gone before the edge
  std::string token_;
};

} // namespace

int main() {
  const auto folder = std::filesystem::temp_directory_path() / ("tobit-route-bench." + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  {
    bench b(folder.string());
    b.measure("edge_route_get", "GET", "/healthz", "", 8'000);
    b.measure("edge_route_get_signed_in", "GET", "/auth/me", "", 12'000);
    b.measure("edge_route_ask_entity", "POST", "/cep/rules/0190f5c2-7b7e-7c33-9c1b-0242ac120002/simulate",
              R"({"test_payload":{"cpu":97.5,"host":"srv-erp-01"}})", 20'000);
  }
  std::filesystem::remove_all(folder);
}
