#pragma once

#include "http/identity/authenticator.hpp"
#include "http/limit/rate_limit.hpp"
#include "http/route/exchange.hpp"
#include "http/route/route_table.hpp"
#include "http/server/server.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <string_view>

namespace tobit::http {

struct dispatch_options {
  std::size_t body_max = 1u << 20; ///< bytes, where a route has no limit of its own
  std::chrono::milliseconds body_time{30'000};
  std::chrono::milliseconds deadline{10'000};     ///< of a request that asks for none itself
  std::chrono::milliseconds deadline_max{60'000}; ///< most that `X-Request-Timeout` can ask for
  rate per_identity, per_address;
};

/// Takes a request through the same stations whatever its route: route, rate limits, who, may they, parameters, body,
/// handler. The first station that objects answers. Thread-safe.
class dispatcher final : public request_handler {
public:
  dispatcher(const route_table& table, std::shared_ptr<const exchange_surroundings> around, authenticator& people,
             dispatch_options options);

  body_limit limit_for(std::string_view method, std::string_view path) const override;
  void handle(request incoming, responder answer) override;
  response refuse(const error& why) const override;

private:
  void begin(const exchange_ptr& ex);
  void answer_options(const exchange_ptr& ex) const;
  void refuse_unknown(const exchange_ptr& ex, const route_match& match) const;
  result<void> set_deadline(exchange& ex) const;
  void go_on(const exchange_ptr& ex, caller who);
  result<void> authorize(const exchange& ex) const;
  result<void> read_parameters(exchange& ex) const;
  result<void> read_body(exchange& ex) const;

  const route_table& table_;
  const std::shared_ptr<const exchange_surroundings> around_;
  authenticator& people_;
  const dispatch_options options_;
  rate_limit per_identity_, per_address_;
};

} // namespace tobit::http
