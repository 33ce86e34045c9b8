#include "runtime/outbound/transfer.hpp"

#include <algorithm>
#include <sys/socket.h>
#include <unistd.h>

namespace tobit::outbound {

namespace {

constexpr std::chrono::milliseconds timeout_max = std::chrono::minutes{10};

} // namespace

steady_time steady_now() noexcept {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::steady_clock::now());
}

transfer::transfer(wish what, const address_guard& guard)
    : target_(std::move(what.target))
    , timeout_(std::clamp<std::chrono::milliseconds>(what.timeout, std::chrono::milliseconds{1}, timeout_max))
    , trusted_(what.trusted)
    , departed_(std::move(what.departed))
    , guard_(guard)
    , started_(steady_now())
    , deadline_(started_ + timeout_) {
  // nop
}

void transfer::begin(easy_handle easy, const transfer_surroundings& around) {
  easy_ = std::move(easy);
  const auto curl = easy_.get();
  if (!curl) return;
  curl_easy_setopt(curl, CURLOPT_PRIVATE, this);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, curl_says_.data());
  curl_easy_setopt(curl, CURLOPT_CURLU, target_.url.get());
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_PROXY, ""); // also keeps it from reading http_proxy and its relatives
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, &transfer::open_socket);
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, this);
  curl_easy_setopt(curl, CURLOPT_PREREQFUNCTION, &transfer::before_request);
  curl_easy_setopt(curl, CURLOPT_PREREQDATA, this);
  if (departed_) {
    // On a kept connection that the other side had closed libcurl sends again by itself.
    curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);
  }
  set_trust(around);
  set_limits();
  set_up(around);
}

void transfer::set_trust(const transfer_surroundings& around) {
  const auto curl = easy_.get();
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  // The file takes the place of the system's bundle, not of its folder, which Debian fills with the same authorities.
  if (!around.ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, around.ca_file.c_str());
}

void transfer::set_limits() {
  const auto curl = easy_.get();
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - steady_now()).count();
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(std::max<std::int64_t>(1, left)));
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  // A name lookup that hangs is left to its thread; waiting for it here would hold up every other transfer.
  curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(curl, CURLOPT_DNS_CACHE_TIMEOUT, 30L);
  curl_easy_setopt(curl, CURLOPT_MAXLIFETIME_CONN, 300L); // follow a service that moved to another address
}

easy_handle transfer::release() {
  if (easy_) curl_easy_reset(easy_.get());
  return std::move(easy_);
}

bool transfer::admits(const ip_address& ip, std::uint16_t port) noexcept {
  if (!trusted_ && !guard_.allows(ip, port, target_.host)) {
    refused_ = to_string(ip);
    return false;
  }
  return true;
}

curl_socket_t transfer::open_socket(void* self, curlsocktype, curl_sockaddr* address) noexcept {
  auto& t = *static_cast<transfer*>(self);
  const auto ip = ip_of(address->addr);
  if (!ip || !t.admits(*ip, t.target_.port)) return CURL_SOCKET_BAD;
  t.connected_ = true;
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

int transfer::before_request(void* self, char* remote_ip, char*, int remote_port, int) noexcept {
  // A reused connection opened no socket; it may have been opened for a request that was trusted.
  auto& t = *static_cast<transfer*>(self);
  const auto ip = parse_ip(remote_ip);
  const auto fine = ip && t.admits(*ip, static_cast<std::uint16_t>(remote_port));
  if (!fine) t.connected_ = false;
  if (fine && t.departed_) t.departed_->store(true);
  return fine ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

error transfer::expired() const {
  return {error_code::deadline_exceeded,
          target_.authority + " did not answer completely within " + std::to_string(timeout_.count()) + " ms."};
}

std::string transfer::curl_says(CURLcode outcome) const {
  return curl_says_[0] ? curl_says_.data() : curl_easy_strerror(outcome);
}

std::optional<error> transfer::trouble(CURLcode outcome) const {
  using enum error_code;
  const auto& who = target_.authority;
  if (!refused_.empty() && !connected_ && outcome != CURLE_OPERATION_TIMEDOUT) return refusal(target_, refused_);
  switch (outcome) {
  case CURLE_OPERATION_TIMEDOUT:
    return expired();
  case CURLE_COULDNT_RESOLVE_HOST:
    return error{connection_error, "The name '" + target_.host + "' could not be resolved; check it."};
  case CURLE_COULDNT_CONNECT:
    return error{connection_error,
                 "No connection to " + who + " could be made; check the address and that the service runs."};
  case CURLE_PEER_FAILED_VERIFICATION:
    return error{connection_error, "The certificate of " + who + " could not be verified: " + curl_says(outcome) + '.'};
  case CURLE_SSL_CONNECT_ERROR:
    return error{connection_error, "The TLS handshake with " + who + " failed: " + curl_says(outcome) + '.'};
  case CURLE_SSL_CACERT_BADFILE:
    return error{configuration_error, "The file of certificate authorities (outbound.ca_file) cannot be read."};
  case CURLE_URL_MALFORMAT:
    return error{validation_error, "The host of the URL is not a valid name."};
  case CURLE_OUT_OF_MEMORY:
    return error{overloaded, "There is not enough memory for a request to " + who + '.'};
  default:
    return std::nullopt;
  }
}

} // namespace tobit::outbound
