#pragma once

#include "runtime/outbound/transfer.hpp"

#include <memory>
#include <string_view>

namespace tobit::outbound {

/// One HTTP request on its way: what libcurl is told, what it reported, and the verdict.
class http_transfer final : public transfer {
public:
  /// Checks the request. Errors: validation_error, address_refused.
  static result<std::unique_ptr<transfer>> make(http_request request, const address_guard& guard);

  result<http_response> conclude(CURLcode outcome) override;

private:
  http_transfer(http_request request, wish what, const address_guard& guard);

  void set_up(const transfer_surroundings& around) override;
  void set_method();
  void set_headers(const std::string& user_agent);
  error explain(CURLcode outcome) const;

  std::size_t on_header(std::string_view line);
  std::size_t on_body(std::string_view piece);
  static std::size_t header_arrived(char* from, std::size_t size, std::size_t count, void* self) noexcept;
  static std::size_t body_arrived(char* from, std::size_t size, std::size_t count, void* self) noexcept;

  enum class cut { none, body_too_large, headers_too_large };

  http_request request_;
  header_list headers_;
  http_response response_;
  std::size_t header_bytes_ = 0;
  bool headers_complete_ = false;
  cut cut_ = cut::none;
};

} // namespace tobit::outbound
