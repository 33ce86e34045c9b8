#pragma once

#include "runtime/outbound/address_guard.hpp"
#include "runtime/outbound/curl_handles.hpp"
#include "runtime/outbound/http_client.hpp"
#include "runtime/outbound/target_url.hpp"
#include "schemas/time.hpp"

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <string>

namespace tobit::outbound {

using answer_callback = std::function<void(result<http_response>)>;

steady_time steady_now() noexcept;

/// What all transfers of one client share.
struct transfer_surroundings {
  const std::string& user_agent;
  const std::string& ca_file; ///< further authorities; empty: the system's only
};

/// One thing on its way out through libcurl: how it gets a connection, and to whom. Used by one thread at a time.
class transfer {
public:
  virtual ~transfer() = default;
  transfer(const transfer&) = delete;
  transfer& operator=(const transfer&) = delete;

  /// Sets up `easy`, a reset handle. The transfer must not move or die before `release`.
  void begin(easy_handle easy, const transfer_surroundings& around);
  CURL* easy() const noexcept { return easy_.get(); }
  /// Gives the handle back, reset. Precondition: no longer part of a multi handle.
  easy_handle release();

  /// What came of it. `outcome`: libcurl's result of the transfer.
  virtual result<http_response> conclude(CURLcode outcome) = 0;
  /// The result if the time is over before a connection was free.
  error expired() const;

  const std::string& authority() const noexcept { return target_.authority; }
  steady_time deadline() const noexcept { return deadline_; }

protected:
  struct wish {
    target_url target;
    std::chrono::milliseconds timeout;
    bool trusted = false;                        ///< the guard is not asked
    std::shared_ptr<std::atomic<bool>> departed; ///< see `http_request::departed`; may be null
  };
  transfer(wish what, const address_guard& guard);

  /// Sets what the protocol needs.
  virtual void set_up(const transfer_surroundings& around) = 0;
  /// What went wrong on the way, for those codes that mean the same in every protocol; nothing for others.
  std::optional<error> trouble(CURLcode outcome) const;
  const target_url& target() const noexcept { return target_; }
  steady_time started() const noexcept { return started_; }
  std::string curl_says(CURLcode outcome) const;

private:
  bool admits(const ip_address& ip, std::uint16_t port) noexcept;
  void set_limits();
  void set_trust(const transfer_surroundings& around);

  static curl_socket_t open_socket(void* self, curlsocktype purpose, curl_sockaddr* address) noexcept;
  static int before_request(void* self, char* remote_ip, char* local_ip, int remote_port, int local_port) noexcept;

  target_url target_;
  const std::chrono::milliseconds timeout_;
  const bool trusted_;
  const std::shared_ptr<std::atomic<bool>> departed_;
  const address_guard& guard_;
  const steady_time started_, deadline_;
  easy_handle easy_;
  std::array<char, CURL_ERROR_SIZE> curl_says_{};
  std::string refused_;    ///< the address that the guard refused
  bool connected_ = false; ///< some address was let through
};

} // namespace tobit::outbound
