#include "actors/notify/channel/channel_sender.hpp"

#include "actors/notify/adapter/answer_verdict.hpp"
#include "actors/notify/template/notice_values.hpp"

#include <utility>

namespace tobit::notify {

namespace {

entity::effect_outcome judge_receipt(const outbound::mail_receipt& receipt) {
  entity::effect_outcome out;
  out.answer = {{"reply", one_line(receipt.reply, 300)}, {"took_ms", receipt.took.count() / 1'000}};
  for (const auto& [recipient, why] : receipt.refused)
    out.answer["refused"].push_back({{"recipient", recipient}, {"reply", one_line(why, 200)}});
  return out;
}

} // namespace

result<outgoing_message> channel_sender::prepare(const channel_adapter& adapter, const delivery& what) const {
  try {
    return adapter.prepare(what, time_.now(),
                           [this](std::string_view reference) { return resolve_secret(reference, options_.secrets); });
  } catch (const json::exception&) {
    return fail(error_code::internal_server_error, "The stored delivery cannot be read; it is given up.");
  }
}

void channel_sender::send(const channel_adapter& adapter, outgoing_message message, callback done) const {
  if (auto* mail = std::get_if<outbound::mail_request>(&message)) {
    mail->timeout = options_.mail_timeout;
    out_.send(std::move(*mail),
              [done = std::move(done)](tl::expected<outbound::mail_receipt, outbound::mail_failure> end) {
                done(end ? judge_receipt(*end) : judge_mail(end.error()));
              });
    return;
  }
  auto& request = std::get<outbound::http_request>(message);
  request.timeout = options_.timeout;
  request.response_max = options_.response_max;
  // What may be repeated may as well use a kept connection.
  if (!adapter.may_repeat()) request.departed = std::make_shared<std::atomic<bool>>(false);
  const auto departed = request.departed;
  out_.send(std::move(request), [&adapter, &time = time_, departed,
                                 done = std::move(done)](const result<outbound::http_response>& response) {
    done(response ? adapter.judge(*response, time.now())
                  : judge_silence(response.error(), departed && departed->load(), adapter.may_repeat()));
  });
}

} // namespace tobit::notify
