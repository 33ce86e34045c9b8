#pragma once

#include "runtime/outbound/address_guard.hpp"
#include "runtime/outbound/curl_handles.hpp"
#include "runtime/outbound/http_client.hpp"
#include "runtime/outbound/target_url.hpp"
#include "schemas/time.hpp"

#include <array>
#include <functional>
#include <memory>
#include <string>

namespace tobit::outbound {

using answer_callback = std::function<void(result<http_response>)>;

steady_time steady_now() noexcept;

/// One request on its way: what libcurl is told, what it reported, and the verdict. Used by one thread at a time.
class transfer {
public:
  /// Checks the request. Errors: validation_error, address_refused.
  static result<std::unique_ptr<transfer>> make(http_request request, const address_guard& guard);
  transfer(const transfer&) = delete;
  transfer& operator=(const transfer&) = delete;

  /// Sets up `easy`, a reset handle, for this request. The transfer must not move or die before `release`.
  void begin(easy_handle easy, const std::string& user_agent);
  CURL* easy() const noexcept { return easy_.get(); }
  /// Gives the handle back, reset. Precondition: no longer part of a multi handle.
  easy_handle release();

  /// What came of it. `outcome`: libcurl's result of the transfer.
  result<http_response> conclude(CURLcode outcome);
  /// The result if the time is over before a connection was free.
  error expired() const;

  const std::string& authority() const noexcept { return target_.authority; }
  steady_time deadline() const noexcept { return deadline_; }

private:
  transfer(http_request request, target_url target, const address_guard& guard);

  error explain(CURLcode outcome) const;
  bool admits(const ip_address& ip, std::uint16_t port) noexcept;
  void set_method();
  void set_headers(const std::string& user_agent);
  void set_limits();

  std::size_t on_header(std::string_view line);
  std::size_t on_body(std::string_view piece);

  static curl_socket_t open_socket(void* self, curlsocktype purpose, curl_sockaddr* address) noexcept;
  static int before_request(void* self, char* remote_ip, char* local_ip, int remote_port, int local_port) noexcept;
  static std::size_t header_arrived(char* from, std::size_t size, std::size_t count, void* self) noexcept;
  static std::size_t body_arrived(char* from, std::size_t size, std::size_t count, void* self) noexcept;

  enum class cut { none, body_too_large, headers_too_large };

  http_request request_;
  target_url target_;
  const address_guard& guard_;
  steady_time started_, deadline_;
  easy_handle easy_;
  header_list headers_;
  std::array<char, CURL_ERROR_SIZE> curl_says_{};
  http_response response_;
  std::size_t header_bytes_ = 0;
  bool headers_complete_ = false;
  cut cut_ = cut::none;
  std::string refused_;    ///< the address that the guard refused
  bool connected_ = false; ///< some address was let through
};

} // namespace tobit::outbound
