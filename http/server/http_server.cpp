#include "http/server/edge_scope.hpp"
#include "http/server/reactor.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <system_error>

namespace tobit::http {
namespace {

using namespace edge;

class http_server final : public server {
public:
  http_server(const server_options& options, request_handler& handler) : edge_(options, handler) {}
  ~http_server() override { stop(std::chrono::milliseconds{0}); }

  result<void> start() {
    const auto& options = edge_.options;
    if (options.certificate_file.empty() != options.private_key_file.empty())
      return fail(error_code::configuration_error, "HTTPS needs both a certificate file and a private key file.");
    if (!options.certificate_file.empty()) {
      auto tls = tls_context::load(options.certificate_file, options.private_key_file);
      if (!tls) return fail(tls.error());
      edge_.tls = std::move(*tls);
    }
    auto listening = listen_on(options.address, options.port);
    if (!listening) return fail(listening.error());
    port_ = listening->port;
    for (std::size_t i = 0; i < std::max<std::size_t>(options.reactors, 1); ++i)
      reactors_.push_back(std::make_unique<reactor>(edge_, i == 0 ? std::move(listening->handle) : file_handle{},
                                                    [this](accepted_socket socket) { deal(std::move(socket)); }));
    workers_ = std::make_unique<worker_pool>(edge_.tasks, std::max<std::size_t>(options.workers, 1));
    for (const auto& one : reactors_) one->start();
    return {};
  }

  std::uint16_t port() const noexcept override { return port_; }

  void stop(std::chrono::milliseconds grace) override {
    const std::lock_guard lock{stop_mutex_};
    edge_.stopping = true;
    const auto until = std::chrono::steady_clock::now() + grace;
    for (const auto& one : reactors_) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
      one->stop(std::max(left, std::chrono::milliseconds{0}));
    }
    // Only now: until here the workers were needed to finish what was under way.
    workers_.reset();
  }

  server_figures figures() const override {
    const auto& now = edge_.figures;
    return {now.connections, now.streams, edge_.tasks->waiting(), now.accepted, now.requests, now.refused};
  }

private:
  void deal(accepted_socket socket) { reactors_[next_++ % reactors_.size()]->adopt(std::move(socket)); }

  edge_scope edge_;
  std::uint16_t port_ = 0;
  std::vector<std::unique_ptr<reactor>> reactors_;
  std::unique_ptr<worker_pool> workers_;
  std::size_t next_ = 0; ///< of the accepting reactor's thread
  std::mutex stop_mutex_;
};

} // namespace

result<std::unique_ptr<server>> start_server(const server_options& options, request_handler& handler) {
  try {
    auto made = std::make_unique<http_server>(options, handler);
    if (auto started = made->start(); !started) return fail(started.error());
    return made;
  } catch (const std::system_error& failure) {
    spdlog::error("http.start_failed {}", failure.what());
    return fail(error_code::configuration_error,
                "The HTTP server could not be started; the system's limits on files or threads are reached.");
  }
}

} // namespace tobit::http
