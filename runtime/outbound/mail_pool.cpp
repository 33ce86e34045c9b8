#include "runtime/outbound/mail_pool.hpp"

#include <pthread.h>
#include <signal.h>
#include <utility>

namespace tobit::outbound {

namespace {

error stopping_error() { return {error_code::unavailable, "This node is stopping; the mail was not finished."}; }

} // namespace

mail_pool::mail_pool(const http_client_options& options, const address_guard& guard)
    : options_(options), guard_(guard) {
  // The threads start with the first mail: most nodes send none.
}

mail_pool::~mail_pool() {
  std::vector<pending_transfer> waiting;
  {
    std::lock_guard lock{lock_};
    stopping_ = true;
    waiting = queue_.clear();
  }
  work_.notify_all();
  for (auto& thread : threads_) thread.join();
  for (auto& mail : waiting) mail.done(fail(stopping_error()));
}

void mail_pool::send(mail_request request, smtp_client::callback done) {
  auto verdict = std::make_shared<mail_transfer::verdict>();
  auto made = mail_transfer::make(std::move(request), guard_, verdict, stopping_);
  answer_callback told = [verdict, done = std::move(done)](const result<http_response>& answer) {
    if (answer)
      done(std::move(verdict->receipt));
    else
      done(tl::unexpected<mail_failure>({answer.error(), verdict->reply_code, verdict->outcome_unknown}));
  };
  if (!made) return told(fail(made.error()));
  {
    std::unique_lock lock{lock_};
    const bool full = in_flight_ >= in_flight_max;
    if (full || stopping_) {
      lock.unlock();
      if (!full) return told(fail(stopping_error()));
      return told(fail(error_code::overloaded, "Too many mails are under way; try again after a moment."));
    }
    ++in_flight_;
    queue_.add({std::move(*made), std::move(told)});
    if (threads_.size() < threads) threads_.emplace_back([this] { run(); });
  }
  work_.notify_one();
}

void mail_pool::run() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  pthread_setname_np(pthread_self(), "tobit-mail");
  std::unique_lock lock{lock_};
  while (!stopping_) {
    for (auto& late : queue_.expire(steady_now())) {
      lock.unlock();
      settle(late, fail(late.what->expired()));
      lock.lock();
    }
    if (auto next = queue_.next()) {
      lock.unlock();
      perform(std::move(*next));
      lock.lock();
      continue;
    }
    const auto wake_at = queue_.next_deadline();
    if (wake_at == steady_time::max())
      work_.wait(lock);
    else
      work_.wait_until(lock, wake_at);
  }
}

void mail_pool::perform(pending_transfer mail) {
  mail.what->begin(easy_handle(curl_easy_init()), {options_.user_agent, options_.ca_file});
  const auto easy = mail.what->easy();
  auto verdict = [&]() -> result<http_response> {
    if (!easy) return fail(error_code::overloaded, "There is not enough memory for another mail.");
    auto end = mail.what->conclude(curl_easy_perform(easy));
    if (!end && stopping_) return fail(stopping_error());
    return end;
  }();
  mail.what->release();
  {
    std::lock_guard lock{lock_};
    queue_.finished(mail.what->authority());
  }
  work_.notify_one(); // the host's next mail may have waited for this one
  settle(mail, std::move(verdict));
}

void mail_pool::settle(pending_transfer& mail, result<http_response> verdict) {
  {
    std::lock_guard lock{lock_};
    --in_flight_;
  }
  try {
    mail.done(std::move(verdict));
  } catch (...) {
    // By contract it does not throw; if it does, other mails must not suffer.
  }
}

} // namespace tobit::outbound
