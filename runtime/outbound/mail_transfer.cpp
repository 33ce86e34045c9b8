#include "runtime/outbound/mail_transfer.hpp"

#include <algorithm>
#include <cctype>
#include <cstring>

namespace tobit::outbound {

namespace {

constexpr std::size_t recipients_max = 100;
constexpr std::size_t reply_kept_max = 300; ///< bytes of a reply that are kept
constexpr int start_mail_input = 354;       ///< RFC 5321 §4.3.2

/// What may stand between `<` and `>`: no blanks, brackets or line breaks that could begin another command.
bool is_address(std::string_view text) noexcept {
  const auto at = text.rfind('@');
  return text.size() <= 254 && at != text.npos && at > 0 && at + 1 < text.size() &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return c > 0x20 && c < 0x7f &&
                  std::string_view("<>()[],;:\\\"").find(static_cast<char>(c)) == std::string_view::npos;
         });
}

result<void> check(const mail_request& request) {
  const auto refuse = [](std::string why) -> result<void> {
    return fail(error_code::validation_error, std::move(why));
  };
  if (!is_address(request.from)) return refuse("The sender's mail address is not one such as ops@example.com.");
  if (request.to.empty() || request.to.size() > recipients_max) return refuse("A mail has 1 to 100 recipients.");
  for (const auto& to : request.to)
    if (!is_address(to)) return refuse("A recipient's mail address is not one such as ops@example.com.");
  if (request.message.empty() || request.message.size() > mail_bytes_max) return refuse("A mail is at most 1 MiB.");
  if (request.user.empty()) return {};
  if (request.security == mail_security::none)
    return refuse("A password is sent over an encrypted connection only; use STARTTLS or TLS.");
  for (const auto* text : {&request.user, &request.password})
    if (text->find('\0') != text->npos) return refuse("The user's name or password holds a zero byte.");
  return {};
}

/// The server's address through the same reader as every URL, so that what is checked is what is connected to.
result<target_url> target_of(const mail_request& request) {
  const auto unusual = [](unsigned char c) {
    return !std::isalnum(c) && std::string_view("-._:").find(static_cast<char>(c)) == std::string_view::npos;
  };
  if (request.host.empty() || request.host.size() > 253 || request.port == 0 ||
      std::any_of(request.host.begin(), request.host.end(), unusual))
    return fail(error_code::validation_error, "The mail server is a host name or an address, without a port.");
  const auto v6 = request.host.find(':') != std::string::npos;
  const auto host = v6 ? '[' + request.host + ']' : request.host;
  const auto port = std::to_string(request.port);
  // Read as http once, which normalises the host; then with the scheme that is meant.
  auto target = parse_target("http://" + host + ':' + port + '/');
  if (!target) return fail(error_code::validation_error, "The mail server's name is not well formed.");
  const auto* scheme = request.security == mail_security::tls ? "smtps://" : "smtp://";
  const auto url = scheme + (v6 ? '[' + target->host + ']' : target->host) + ':' + port;
  target->url.reset(curl_url());
  if (curl_url_set(target->url.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK)
    return fail(error_code::validation_error, "The mail server's name is not well formed.");
  return target;
}

std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.remove_suffix(1);
  return text;
}

} // namespace

mail_transfer::mail_transfer(mail_request request, wish what, const address_guard& guard, std::shared_ptr<verdict> into,
                             const std::atomic<bool>& stop)
    : transfer(std::move(what), guard), request_(std::move(request)), verdict_(std::move(into)), stop_(stop) {
  // nop
}

result<std::unique_ptr<transfer>> mail_transfer::make(mail_request request, const address_guard& guard,
                                                      std::shared_ptr<verdict> into, const std::atomic<bool>& stop) {
  if (auto checked = check(request); !checked) return fail(checked.error());
  auto target = target_of(request);
  if (!target) return fail(target.error());
  if (auto checked = check_target(guard, *target); !checked) return fail(checked.error());
  // With `departed` the connection is its own: a kept one could make libcurl send the mail a second time.
  wish what{std::move(*target), request.timeout, false, std::make_shared<std::atomic<bool>>(false)};
  return std::unique_ptr<transfer>(
      new mail_transfer(std::move(request), std::move(what), guard, std::move(into), stop));
}

void mail_transfer::set_up(const transfer_surroundings&) {
  const auto curl = easy();
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  if (request_.security == mail_security::starttls)
    curl_easy_setopt(curl, CURLOPT_USE_SSL, static_cast<long>(CURLUSESSL_ALL));
  if (!request_.user.empty()) {
    curl_easy_setopt(curl, CURLOPT_USERNAME, request_.user.c_str());
    curl_easy_setopt(curl, CURLOPT_PASSWORD, request_.password.c_str());
  }
  curl_easy_setopt(curl, CURLOPT_MAIL_FROM, ('<' + request_.from + '>').c_str());
  curl_slist* list = nullptr;
  for (const auto& to : request_.to)
    if (auto* longer = curl_slist_append(list, ('<' + to + '>').c_str())) list = longer;
  recipients_.reset(list);
  curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, list);
  curl_easy_setopt(curl, CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L); // one wrong address must not keep the others from knowing
  curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request_.message.size()));
  curl_easy_setopt(curl, CURLOPT_READFUNCTION, &mail_transfer::message_wanted);
  curl_easy_setopt(curl, CURLOPT_READDATA, this);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, &mail_transfer::asked_to_go_on);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, this);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &mail_transfer::reply_arrived);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, this);
}

/// libcurl asks every second at the latest. Its farewell (QUIT) is not covered by the transfer's timeout and would wait
/// two minutes for a server that fell silent.
bool mail_transfer::is_over() const noexcept {
  constexpr std::chrono::seconds farewell{2};
  const auto now = steady_now();
  return stop_.load() || now >= deadline() || (after_data_ != 0 && now >= confirmed_ + farewell);
}

int mail_transfer::asked_to_go_on(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) noexcept {
  return static_cast<mail_transfer*>(self)->is_over() ? 1 : 0;
}

std::size_t mail_transfer::message_wanted(char* to, std::size_t size, std::size_t count, void* self) noexcept {
  auto& t = *static_cast<mail_transfer*>(self);
  const auto piece = std::min(size * count, t.request_.message.size() - t.sent_);
  std::memcpy(to, t.request_.message.data() + t.sent_, piece);
  t.sent_ += piece;
  // libcurl knows the size and may not ask once more for nothing.
  if (t.sent_ == t.request_.message.size()) t.message_out_ = true;
  return piece;
}

std::size_t mail_transfer::reply_arrived(char* from, std::size_t size, std::size_t count, void* self) noexcept {
  try {
    return static_cast<mail_transfer*>(self)->on_reply({from, size * count});
  } catch (const std::exception&) {
    return 0;
  }
}

std::size_t mail_transfer::on_reply(std::string_view line) {
  reply_bytes_ += line.size();
  if (reply_bytes_ > response_headers_max) return 0;
  const auto digit = [&](std::size_t i) {
    return line.size() > i && std::isdigit(static_cast<unsigned char>(line[i]));
  };
  const bool last_line = digit(0) && digit(1) && digit(2) && (line.size() == 3 || line[3] != '-');
  if (!last_line) return line.size();
  const int code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
  if (data_wanted_) {
    if (after_data_ == 0) {
      after_data_ = code;
      confirmed_ = steady_now();
    }
  } else if (code == start_mail_input) {
    data_wanted_ = true;
    note_refused();
  }
  replies_.push_back({code, std::string(trimmed(line.substr(0, reply_kept_max)))});
  return line.size();
}

/// The replies before 354 were those to the recipients, in their order.
void mail_transfer::note_refused() {
  const auto count = request_.to.size();
  if (replies_.size() < count) return;
  for (std::size_t i = 0; i < count; ++i) {
    const auto& said = replies_[replies_.size() - count + i];
    if (said.code >= 400) verdict_->receipt.refused.emplace_back(request_.to[i], said.text);
  }
}

/// The reply that ended it. Not simply the last one: libcurl says goodbye after a refusal, and is answered. Refused
/// recipients do not count once the server has asked for the mail.
const mail_transfer::reply* mail_transfer::refusal_said() const noexcept {
  for (auto said = replies_.rbegin(); said != replies_.rend() && said->code != start_mail_input; ++said)
    if (said->code >= 400) return &*said;
  return nullptr;
}

result<http_response> mail_transfer::conclude(CURLcode outcome) {
  verdict_->receipt.took = steady_now() - started();
  // Once the final dot was confirmed the mail is the server's; how the connection ended does not matter.
  if (after_data_ / 100 == 2) {
    for (const auto& said : replies_)
      if (said.code == after_data_) verdict_->receipt.reply = said.text;
    http_response taken;
    taken.status = after_data_;
    return taken;
  }
  if (outcome == CURLE_OK) outcome = CURLE_RECV_ERROR;
  verdict_->outcome_unknown = data_wanted_ && message_out_ && after_data_ == 0;
  if (const auto* said = refusal_said()) verdict_->reply_code = said->code;
  return fail(explain(outcome));
}

error mail_transfer::explain(CURLcode outcome) const {
  using enum error_code;
  const auto& who = authority();
  const auto* refusal = refusal_said();
  const auto said = refusal ? refusal->text : std::string{};
  if (verdict_->outcome_unknown)
    return {external_service_error,
            who + " took the whole mail and ended without confirming it; nobody can say whether it was delivered."};
  if (outcome == CURLE_LOGIN_DENIED)
    return {configuration_error, who + " refused the user's name or password" + (said.empty() ? "." : ": " + said)};
  if (verdict_->reply_code >= 400) return {external_service_error, who + " refused the mail: " + said};
  if (auto known = trouble(outcome)) return *known;
  switch (outcome) {
  case CURLE_USE_SSL_FAILED:
    return {external_service_error,
            who + " does not offer STARTTLS, without which nothing is sent. Use 'tls' or another port."};
  case CURLE_LOGIN_DENIED:
  case CURLE_AUTH_ERROR:
    return {configuration_error, who + " offers no way of signing in that is known here."};
  case CURLE_ABORTED_BY_CALLBACK: // by our own clock, a moment before libcurl's
    return expired();
  case CURLE_SEND_ERROR:
  case CURLE_RECV_ERROR:
  case CURLE_GOT_NOTHING:
  case CURLE_PARTIAL_FILE:
  case CURLE_UPLOAD_FAILED:
    return {connection_error, who + " closed the connection before the mail was handed over."};
  default:
    return {external_service_error, who + " did not speak SMTP as expected: " + curl_says(outcome) + '.'};
  }
}

} // namespace tobit::outbound
