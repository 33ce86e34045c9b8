#define CAF_SUITE sms_text

#include "actors/notify/adapter/sms_text.hpp"

#include <caf/test/unit_test.hpp>

#include <string>

using namespace tobit::notify;

namespace {

std::string repeated(std::string_view text, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += text;
  return out;
}

} // namespace

CAF_TEST(the alphabet of the network decides how much fits) {
  CAF_CHECK(is_gsm_text("Disk full @db-1: 97% [ok] {x} €5 äöüß"));
  CAF_CHECK(!is_gsm_text("디스크"));
  CAF_CHECK(!is_gsm_text("a`b"));
  CAF_CHECK(!is_gsm_text("…"));
  CAF_CHECK_EQUAL(sms_length("abc"), 3u);
  CAF_CHECK_EQUAL(sms_length("[a]"), 5u); // brackets take two septets
  CAF_CHECK_EQUAL(sms_length("디스크"), 3u);
  CAF_CHECK_EQUAL(sms_length("😀"), 2u); // a surrogate pair
}

CAF_TEST(parts are counted as they are paid for) {
  CAF_CHECK_EQUAL(sms_parts(repeated("a", 160)), 1u);
  CAF_CHECK_EQUAL(sms_parts(repeated("a", 161)), 2u);
  CAF_CHECK_EQUAL(sms_parts(repeated("가", 70)), 1u);
  CAF_CHECK_EQUAL(sms_parts(repeated("가", 71)), 2u);
  CAF_CHECK_EQUAL(sms_parts(repeated("가", 160)), 3u);
}

CAF_TEST(a long text is cut between characters and says so) {
  CAF_CHECK_EQUAL(cut_sms(repeated("a", 160), 160), repeated("a", 160));
  const auto latin = cut_sms(repeated("a", 161), 160);
  CAF_CHECK_EQUAL(latin, repeated("a", 157) + "...");
  const auto korean = cut_sms(repeated("가", 500), 160);
  CAF_CHECK_EQUAL(korean, repeated("가", 157) + "...");
  CAF_CHECK_EQUAL(sms_length(korean), 160u);
  const auto pairs = cut_sms(repeated("😀", 100), 20);
  CAF_CHECK_EQUAL(pairs, repeated("😀", 8) + "...");
}

CAF_TEST(text that is no UTF - 8 is survived) {
  for (const std::string text : {"\xff\xfe\xf0", "a\xe3\x80", "\xf0\x9f\x98"}) {
    CAF_CHECK(!is_gsm_text(text));
    CAF_CHECK(cut_sms(repeated(text, 100), 30).size() <= 400);
  }
}
