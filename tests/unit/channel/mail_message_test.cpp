#define CAF_SUITE mail_message

#include "actors/notify/adapter/mail_message.hpp"
#include "tests/unit/channel/notice_samples.hpp"

#include <caf/test/unit_test.hpp>
#include <sodium.h>

#include <algorithm>

using namespace tobit;
using namespace tobit::notify;
using testing::holds;

namespace {

mail_parts sample() {
  mail_parts out;
  out.from = {"Tobit", "tobit@example.com"};
  out.to = {{"", "ops@example.com"}, {"김운영", "kim@example.com"}};
  out.subject = "Disk full";
  out.text = "It is full.";
  out.html = "<p>It is full.</p>";
  out.message_id = "tobit.abc@example.com";
  out.date = from_micros(1'795'000'060'000'000);
  out.boundary = "tobit-abc";
  return out;
}

/// What a reader makes of encoded words.
std::string decoded(const std::string& header) {
  std::string out;
  for (std::size_t at = 0; at < header.size();) {
    const auto begin = header.find("=?UTF-8?B?", at);
    if (begin == header.npos) return out + header.substr(at);
    if (out.empty()) out += header.substr(at, begin - at); // blanks between words do not count
    const auto end = header.find("?=", begin + 10);
    const auto word = header.substr(begin + 10, end - begin - 10);
    std::string bytes(word.size(), '\0');
    std::size_t size = 0;
    CAF_REQUIRE(sodium_base642bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(), word.data(),
                                  word.size(), nullptr, &size, nullptr, sodium_base64_VARIANT_ORIGINAL) == 0);
    out += bytes.substr(0, size);
    at = end + 2;
  }
  return out;
}

std::size_t longest_line(const std::string& text) {
  std::size_t longest = 0, begin = 0;
  while (begin < text.size()) {
    const auto end = std::min(text.find("\r\n", begin), text.size());
    longest = std::max(longest, end - begin);
    begin = end + 2;
  }
  return longest;
}

} // namespace

CAF_TEST(a mail has the headers that RFC 5322 asks for) {
  const auto mail = compose_mail(sample());
  CAF_REQUIRE(mail.has_value());
  const auto head = mail->substr(0, mail->find("\r\n\r\n") + 2);
  CAF_CHECK(holds(head, "Date: Wed, 18 Nov 2026 11:07:40 +0000\r\n"));
  CAF_CHECK(holds(head, "From: \"Tobit\" <tobit@example.com>\r\n"));
  CAF_CHECK(holds(head, "To: ops@example.com,\r\n =?UTF-8?B?"));
  CAF_CHECK(holds(head, " <kim@example.com>\r\n"));
  CAF_CHECK(holds(head, "Subject: Disk full\r\n"));
  CAF_CHECK(holds(head, "Message-ID: <tobit.abc@example.com>\r\n"));
  CAF_CHECK(!holds(head, "In-Reply-To"));
  CAF_CHECK(holds(head, "MIME-Version: 1.0\r\n"));
  CAF_CHECK(holds(head, "Content-Type: multipart/alternative;\r\n boundary=\"tobit-abc\"\r\n"));
}

CAF_TEST(an answer in a thread names the mail that began it) {
  auto parts = sample();
  parts.in_reply_to = "tobit.first@example.com";
  const auto mail = compose_mail(parts).value();
  CAF_CHECK(holds(mail, "\r\nIn-Reply-To: <tobit.first@example.com>\r\nReferences: <tobit.first@example.com>\r\n"));
}

CAF_TEST(Korean survives in subject and text) {
  auto parts = sample();
  parts.subject =
      "[발생] 데이터베이스 서버 db-1의 디스크가 가득 찼습니다: 운영팀은 즉시 확인해 주시기 바랍니다 (심각도: 심각)";
  parts.text = "디스크";
  const auto mail = compose_mail(parts).value();
  const auto begin = mail.find("Subject: ") + 9;
  const auto value = mail.substr(begin, mail.find("\r\nMessage-ID") - begin);
  CAF_CHECK_EQUAL(decoded(value), parts.subject);
  CAF_CHECK(longest_line(mail) <= 78);
  CAF_CHECK(std::all_of(mail.begin(), mail.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; }));
  CAF_CHECK(holds(mail, "65SU7Iqk7YGs\r\n")); // base64 of the text
}

CAF_TEST(every line ends with CRLF and none is too long) {
  auto parts = sample();
  parts.subject = std::string(250, 'x');
  parts.text = std::string(20'000, 'y');
  for (int i = 0; i < 40; ++i) parts.to.push_back({"Someone " + std::to_string(i), "someone@example.com"});
  const auto mail = compose_mail(parts).value();
  CAF_CHECK(longest_line(mail) <= 78);
  for (std::size_t i = 0; i < mail.size(); ++i)
    if (mail[i] == '\n') CAF_REQUIRE(i > 0 && mail[i - 1] == '\r');
  CAF_CHECK(mail.ends_with("--tobit-abc--\r\n"));
}

CAF_TEST(nobody smuggles in another header) {
  auto parts = sample();
  parts.subject = "x\r\nBcc: everybody@example.com";
  CAF_CHECK(!compose_mail(parts).has_value());
  parts = sample();
  parts.from.name = "x\nBcc: y@example.com";
  CAF_CHECK(!compose_mail(parts).has_value());
  parts = sample();
  parts.to[0].address = "x@example.com\r\nBcc: y@example.com";
  CAF_CHECK(!compose_mail(parts).has_value());
  parts = sample();
  parts.subject = "=?UTF-8?Q?forged?=";
  const auto mail = compose_mail(parts).value();
  CAF_CHECK(!holds(mail, "=?UTF-8?Q?forged?="));
}

CAF_TEST(addresses are read with and without a name) {
  CAF_CHECK(parse_mail_address("ops@example.com")->address == "ops@example.com");
  const auto named = parse_mail_address("\"Kim, Ops\" <kim.ops+alerts@mail.example.co.kr>");
  CAF_REQUIRE(named.has_value());
  CAF_CHECK_EQUAL(named->name, "Kim, Ops");
  CAF_CHECK_EQUAL(named->address, "kim.ops+alerts@mail.example.co.kr");
  for (const char* wrong :
       {"", "ops", "@example.com", "ops@", "a b@example.com", "a@b@c", "<x@example.com", "a..b@example.com",
        "a@example.com\r\nBcc: b@example.com", "a@example.com>", "a@exa mple.com", "<>"})
    CAF_CHECK(!parse_mail_address(wrong).has_value());
}
