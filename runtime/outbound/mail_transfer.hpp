#pragma once

#include "runtime/outbound/smtp_client.hpp"
#include "runtime/outbound/transfer.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace tobit::outbound {

/// One mail on its way. Follows the server's replies, since libcurl does not say which recipients were refused or
/// whether the mail had gone out completely when the connection broke.
class mail_transfer final : public transfer {
public:
  /// What came of it, read by whoever sent it after the transfer is concluded.
  struct verdict {
    mail_receipt receipt;
    int reply_code = 0;
    bool outcome_unknown = false;
  };

  /// Checks the request. `stop`: ends the transfer when it becomes true; outlives it. Errors: validation_error,
  /// address_refused.
  static result<std::unique_ptr<transfer>> make(mail_request request, const address_guard& guard,
                                                std::shared_ptr<verdict> into, const std::atomic<bool>& stop);

  /// The answer's status is the server's last reply code.
  result<http_response> conclude(CURLcode outcome) override;

private:
  mail_transfer(mail_request request, wish what, const address_guard& guard, std::shared_ptr<verdict> into,
                const std::atomic<bool>& stop);

  void set_up(const transfer_surroundings& around) override;
  error explain(CURLcode outcome) const;
  void note_refused();
  std::size_t on_reply(std::string_view line);
  static std::size_t reply_arrived(char* from, std::size_t size, std::size_t count, void* self) noexcept;
  bool is_over() const noexcept;
  static int asked_to_go_on(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) noexcept;
  static std::size_t message_wanted(char* to, std::size_t size, std::size_t count, void* self) noexcept;

  struct reply {
    int code;
    std::string text;
  };

  const reply* refusal_said() const noexcept;

  mail_request request_;
  header_list recipients_;
  std::shared_ptr<verdict> verdict_;
  std::size_t sent_ = 0;     ///< bytes of the message that libcurl has taken
  bool message_out_ = false; ///< libcurl has seen its end, and sends the final dot
  std::vector<reply> replies_;
  std::size_t reply_bytes_ = 0;
  bool data_wanted_ = false; ///< 354 was answered
  int after_data_ = 0;       ///< the reply to the final dot
  steady_time confirmed_{};  ///< when it came
  const std::atomic<bool>& stop_;
};

} // namespace tobit::outbound
