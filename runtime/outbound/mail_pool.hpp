#pragma once

#include "runtime/outbound/http_client.hpp"
#include "runtime/outbound/mail_transfer.hpp"
#include "runtime/outbound/smtp_client.hpp"
#include "runtime/outbound/transfer_queue.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace tobit::outbound {

/// Hands mails over on a few threads of its own. Not on the thread of the requests: this libcurl (7.88) waits for the
/// reply to a mail's final dot in place, and a mail server that falls silent there would hold up everything else. A
/// server gets at most half of the threads, so that one that hangs leaves room for others.
class mail_pool {
public:
  static constexpr std::size_t threads = 4, threads_per_host = 2;
  static constexpr std::size_t in_flight_max = 500; ///< mails accepted and not finished; beyond it: overloaded

  /// Both outlive the pool.
  mail_pool(const http_client_options& options, const address_guard& guard);
  /// Ends what is under way within about a second.
  ~mail_pool();
  mail_pool(const mail_pool&) = delete;
  mail_pool& operator=(const mail_pool&) = delete;

  /// As `smtp_client::send`; refusals call back on the caller's thread.
  void send(mail_request request, smtp_client::callback done);

private:
  void run();
  void perform(pending_transfer mail);
  void settle(pending_transfer& mail, result<http_response> verdict);

  const http_client_options& options_;
  const address_guard& guard_;
  std::mutex lock_;
  std::condition_variable work_;
  transfer_queue queue_{threads, threads_per_host};
  std::size_t in_flight_ = 0;
  std::atomic<bool> stopping_{false};
  std::vector<std::thread> threads_;
};

} // namespace tobit::outbound
