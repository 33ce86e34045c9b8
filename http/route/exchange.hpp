#pragma once

#include "http/identity/account.hpp"
#include "http/route/browser_headers.hpp"
#include "http/route/route.hpp"
#include "http/route/trace_headers.hpp"
#include "http/server/server.hpp"
#include "runtime/telemetry/access_log.hpp"
#include "runtime/telemetry/metrics.hpp"
#include "runtime/telemetry/span.hpp"
#include "runtime/time/clock.hpp"

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace tobit::http {

class deadline_watch;
class exchange;

/// What every exchange needs to finish. Pointers may be null except the clock; all outlive the server.
struct exchange_surroundings {
  const clock* time = nullptr;
  telemetry::metrics* figures = nullptr;
  telemetry::span_sink* spans = nullptr;
  telemetry::access_log* accesses = nullptr;
  deadline_watch* deadlines = nullptr;
  browser_rules browsers;
  /// The node that serves a request of these parameters; empty: no header says so.
  std::function<std::string(const exchange&)> served_by;
  mutable std::atomic<std::int64_t> open{0}; ///< exchanges that somebody still holds
};

/// One request and the duty to answer it, from its arrival to the last log line. Handlers keep the shared pointer as
/// long as they still mean to answer; if all let go of it unanswered, the client gets 500. The answering calls may come
/// from any thread; the first one counts.
class exchange : public std::enable_shared_from_this<exchange> {
public:
  exchange(std::shared_ptr<const exchange_surroundings> around, request incoming, responder answer);
  ~exchange();

  // -- the request ----------------------------------------------------------------------------------------------------
  const request& incoming() const noexcept { return incoming_; }
  /// Complete once the handler runs.
  const call_context& context() const noexcept { return context_; }
  steady_time deadline() const noexcept { return deadline_; }
  const caller& who() const noexcept { return who_; }
  const tenant_id& tenant() const noexcept { return context_.who->tenant; }
  utc_time now() const { return around_->time->now(); }
  steady_time steady_now() const { return around_->time->steady_now(); }
  json& body() noexcept { return body_; }
  std::string take_raw_body() { return std::move(incoming_.body); }

  /// Parameters, checked; defaults are filled in. `text` is empty for one that is not there.
  const json* value(std::string_view name) const;
  bool has(std::string_view name) const { return value(name) != nullptr; }
  const std::string& text(std::string_view name) const;
  std::int64_t whole(std::string_view name, std::int64_t otherwise = 0) const;
  /// A date-time parameter in microseconds UTC.
  std::optional<std::int64_t> micros(std::string_view name) const;

  // -- the answer -----------------------------------------------------------------------------------------------------
  void ok(const json& body, const json& metadata = nullptr) { answer(200, body, metadata); }
  void answer(int status, const json& body, const json& metadata = nullptr, header_list further = {});
  /// `details` are further fields beside the error's name.
  void refuse(const error& why, const json& details = nullptr, header_list further = {});
  /// A bare answer; security and trace headers are added.
  void send(response bare);
  /// Answers with an event stream. Null if the client is gone.
  std::shared_ptr<event_stream> start_stream();
  bool answered() const noexcept { return answered_.load(std::memory_order_acquire); }

  /// Makes a callback for `result<T>`: refuses on an error, else calls `go_on(T)`; what that throws becomes a 500.
  template <class F>
  auto then(F go_on) {
    return [self = shared_from_this(), go_on = std::move(go_on)](auto outcome) mutable {
      if (!outcome) return self->refuse(outcome.error());
      self->guarded([&] {
        if constexpr (std::is_void_v<typename decltype(outcome)::value_type>)
          go_on();
        else
          go_on(std::move(*outcome));
      });
    };
  }
  /// Runs `act`; an exception is logged and answered with 500.
  template <class F>
  void guarded(F&& act) {
    try {
      act();
    } catch (const std::exception& e) {
      failed(e.what());
    } catch (...) {
      failed("unknown exception");
    }
  }

private:
  friend class dispatcher;
  friend class deadline_watch;

  void identify(caller who);
  void failed(const char* what);
  void finish(response out);
  void add_headers(response& out) const;
  void record(int status, std::size_t bytes_out) const;
  const incoming_trace& trace() const noexcept { return trace_; }

  const std::shared_ptr<const exchange_surroundings> around_;
  request incoming_;
  responder answer_;
  const incoming_trace trace_;
  const utc_time started_at_;
  const std::size_t body_bytes_;              ///< a handler may take the body away
  const identity_ptr nobody_;                 ///< who asks as long as we do not know better
  steady_time deadline_ = steady_time::max(); ///< set before anybody else sees the exchange
  call_context context_;
  caller who_;
  std::atomic<bool> identified_{false}; ///< `who_` and `context_.who` are set and will not change
  const route* route_ = nullptr;
  std::vector<std::pair<std::string_view, json>> parameters_;
  json body_;
  std::atomic<bool> answered_{false};

  // Its place in the deadline watch, under that watch's lock.
  std::optional<std::list<std::weak_ptr<exchange>>::iterator> watched_;
  std::size_t watched_slot_ = 0;
};

/// The headers that name an error's pause: `Retry-After` in whole seconds, at least 1.
header_list retry_after(std::chrono::microseconds wait);

} // namespace tobit::http
