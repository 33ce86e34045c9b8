#include "runtime/outbound/address_guard.hpp"
#include "runtime/outbound/curl_handles.hpp"
#include "runtime/outbound/http_transfer.hpp"
#include "runtime/outbound/mail_pool.hpp"
#include "runtime/outbound/outbound_client.hpp"
#include "runtime/outbound/transfer_queue.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <pthread.h>
#include <signal.h>
#include <string>
#include <thread>
#include <unistd.h>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tobit::outbound {

namespace {

constexpr std::size_t spare_handles_max = 64;
/// Longest pause of the loop; everything that matters wakes it.
constexpr std::chrono::milliseconds idle_wait{1'000};

class curl_client final : public outbound_client {
public:
  curl_client(const http_client_options& options, address_guard guard)
      : options_(options)
      , guard_(std::move(guard))
      , multi_(curl_multi_init())
      , mails_(options_, guard_)
      , queue_(options.connections_max, options.connections_per_host) {
    curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, static_cast<long>(options.connections_max));
    thread_ = std::thread([this] { run(); });
  }

  ~curl_client() override {
    {
      std::lock_guard lock{guard_of_inbox_};
      stopping_ = true;
    }
    curl_multi_wakeup(multi_.get());
    thread_.join();
  }

  void send(http_request request, answer_callback done) override {
    accept(http_transfer::make(std::move(request), guard_), std::move(done));
  }

  void send(mail_request request, smtp_client::callback done) override {
    mails_.send(std::move(request), std::move(done));
  }

private:
  void accept(result<std::unique_ptr<transfer>> made, answer_callback done) {
    arrival next{nullptr, std::move(done), {}};
    if (made)
      next.what = std::move(*made);
    else
      next.refused = std::move(made.error());
    bool was_empty = false;
    {
      std::lock_guard lock{guard_of_inbox_};
      if (next.what) admit(next);
      was_empty = inbox_.empty();
      inbox_.push_back(std::move(next));
    }
    if (was_empty) curl_multi_wakeup(multi_.get());
  }

  /// A request as it was handed in; refused ones pass through the inbox too, so that `done` always runs on our thread.
  struct arrival {
    std::unique_ptr<transfer> what;
    answer_callback done;
    error refused;
  };

  void admit(arrival& next) {
    auto& of_host = in_flight_by_host_[next.what->authority()];
    if (stopping_) {
      next.refused = {error_code::unavailable, "This node is stopping."};
    } else if (in_flight_ >= options_.in_flight_max) {
      next.refused = {error_code::overloaded, "Too many outgoing requests are under way; try again after a moment."};
    } else if (of_host >= options_.in_flight_per_host_max) {
      next.refused = {error_code::overloaded,
                      "Too many requests to " + next.what->authority() + " are under way; try again after a moment."};
    } else {
      ++in_flight_;
      ++of_host;
      return;
    }
    if (of_host == 0) in_flight_by_host_.erase(next.what->authority());
    next.what.reset();
  }

  void run() {
    block_signals();
    while (true) {
      const auto stop = take_inbox();
      if (stop) break;
      for (auto& late : queue_.expire(steady_now())) settle(late, fail(late.what->expired()));
      start_what_may();
      int running = 0;
      curl_multi_perform(multi_.get(), &running);
      if (collect_finished()) start_what_may();
      curl_multi_poll(multi_.get(), nullptr, 0, patience_ms(), nullptr);
    }
    end_everything();
  }

  /// Signals are for the main thread, and a write to a closed socket must not end the program.
  static void block_signals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    pthread_setname_np(pthread_self(), "tobit-outbound");
  }

  bool take_inbox() {
    std::vector<arrival> arrived;
    bool stop = false;
    {
      std::lock_guard lock{guard_of_inbox_};
      arrived.swap(inbox_);
      stop = stopping_;
    }
    for (auto& a : arrived) {
      if (a.what)
        queue_.add({std::move(a.what), std::move(a.done)});
      else
        call(a.done, fail(std::move(a.refused)));
    }
    return stop;
  }

  void start_what_may() {
    while (auto next = queue_.next()) {
      next->what->begin(spare_handle(), {options_.user_agent, options_.ca_file});
      const auto easy = next->what->easy();
      if (!easy || curl_multi_add_handle(multi_.get(), easy) != CURLM_OK) {
        queue_.finished(next->what->authority());
        settle(*next, fail(error_code::overloaded, "There is not enough memory for another outgoing request."));
        continue;
      }
      active_.emplace(easy, std::move(*next));
    }
  }

  bool collect_finished() {
    bool any = false;
    int left = 0;
    while (const auto* report = curl_multi_info_read(multi_.get(), &left)) {
      if (report->msg != CURLMSG_DONE) continue;
      const auto outcome = report->data.result; // the report is gone after the removal
      const auto easy = report->easy_handle;
      curl_multi_remove_handle(multi_.get(), easy);
      auto node = active_.extract(easy);
      auto& t = node.mapped();
      auto verdict = t.what->conclude(outcome);
      keep_handle(t.what->release());
      queue_.finished(t.what->authority());
      settle(t, std::move(verdict));
      any = true;
    }
    return any;
  }

  void end_everything() {
    const auto stopping = error{error_code::unavailable, "This node is stopping; the request was not finished."};
    for (auto& t : queue_.clear()) settle(t, fail(stopping));
    for (auto& [easy, t] : active_) {
      curl_multi_remove_handle(multi_.get(), easy);
      settle(t, fail(stopping));
    }
    active_.clear();
    take_inbox(); // what callbacks sent meanwhile was refused
  }

  /// The slot is free before the callback runs: it may send the next request.
  void settle(pending_transfer& t, result<http_response> verdict) {
    {
      std::lock_guard lock{guard_of_inbox_};
      --in_flight_;
      const auto of_host = in_flight_by_host_.find(t.what->authority());
      if (--of_host->second == 0) in_flight_by_host_.erase(of_host);
    }
    call(t.done, std::move(verdict));
  }

  static void call(const answer_callback& done, result<http_response> verdict) noexcept {
    try {
      done(std::move(verdict));
    } catch (...) {
      // By contract it does not throw; if it does, other requests must not suffer.
    }
  }

  easy_handle spare_handle() {
    if (spare_.empty()) return easy_handle(curl_easy_init());
    auto handle = std::move(spare_.back());
    spare_.pop_back();
    return handle;
  }

  void keep_handle(easy_handle handle) {
    if (spare_.size() < spare_handles_max) spare_.push_back(std::move(handle));
  }

  int patience_ms() const {
    const auto now = steady_now();
    const auto wake_at = std::clamp(queue_.next_deadline(), now, now + idle_wait);
    return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(wake_at - now).count());
  }

  const http_client_options options_;
  const address_guard guard_;
  const multi_handle multi_;
  mail_pool mails_;

  std::mutex guard_of_inbox_;
  std::vector<arrival> inbox_;
  std::size_t in_flight_ = 0;
  std::unordered_map<std::string, std::size_t> in_flight_by_host_;
  bool stopping_ = false;

  // The rest belongs to the thread.
  transfer_queue queue_;
  std::unordered_map<CURL*, pending_transfer> active_;
  std::vector<easy_handle> spare_;
  std::thread thread_;
};

} // namespace

result<std::unique_ptr<outbound_client>> make_outbound_client(const http_client_options& options) {
  static const auto ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (ready != CURLE_OK) return fail(error_code::configuration_error, "libcurl could not be started.");
  auto guard = address_guard::make(options.guard);
  if (!guard) return fail(guard.error());
  if (options.connections_max == 0 || options.connections_per_host == 0 || options.in_flight_max == 0)
    return fail(error_code::configuration_error, "The limits of outgoing connections and requests must be at least 1.");
  if (!options.ca_file.empty() && access(options.ca_file.c_str(), R_OK) != 0)
    return fail(error_code::configuration_error, "outbound.ca_file: '" + options.ca_file + "' cannot be read.");
  return std::make_unique<curl_client>(options, std::move(*guard));
}

result<std::unique_ptr<http_client>> make_http_client(const http_client_options& options) {
  auto made = make_outbound_client(options);
  if (!made) return fail(made.error());
  return std::move(*made);
}

} // namespace tobit::outbound
