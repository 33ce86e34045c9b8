#define CAF_SUITE response_writer

#include "http/server/response_writer.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit::http;
using namespace tobit::http::edge;

namespace {

bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

response answer_of(int status, std::string body, header_list headers = {}) {
  return {status, std::move(headers), "application/json", std::move(body)};
}

const std::string long_body(5000, 'a');

answer_form accepting_gzip() {
  answer_form form;
  form.coding = content_coding::gzip;
  return form;
}

} // namespace

CAF_TEST(an answer says what it is and how long) {
  const auto written = write_answer(answer_of(200, "{}", {{"X-Request-ID", "r1"}}), {});
  CAF_CHECK(written.head.starts_with("HTTP/1.1 200 OK\r\n"));
  CAF_CHECK(holds(written.head, "\r\nContent-Type: application/json\r\n"));
  CAF_CHECK(holds(written.head, "\r\nContent-Length: 2\r\n"));
  CAF_CHECK(holds(written.head, "\r\nX-Request-ID: r1\r\n"));
  CAF_CHECK(holds(written.head, " GMT\r\n"));
  CAF_CHECK(!holds(written.head, "Connection:"));
  CAF_CHECK(written.head.ends_with("\r\n\r\n{}"));
  CAF_CHECK(!written.close);
}

CAF_TEST(answers without a body have none) {
  auto form = answer_form{};
  form.head_only = true;
  const auto head = write_answer(answer_of(200, long_body), form);
  CAF_CHECK(holds(head.head, "Content-Length: 5000\r\n"));
  CAF_CHECK(head.head.ends_with("\r\n\r\n"));
  const auto nothing = write_answer(answer_of(204, "ignored"), {});
  CAF_CHECK(!holds(nothing.head, "Content-"));
  CAF_CHECK(nothing.head.ends_with("\r\n\r\n"));
  CAF_CHECK(write_answer(answer_of(304, "ignored"), {}).head.ends_with("\r\n\r\n"));
}

CAF_TEST(a header cannot smuggle in others or break the framing) {
  const auto written = write_answer(answer_of(200, "{}",
                                              {{"X-Bad", "a\r\nSet-Cookie: b"},
                                               {"Bad Name", "x"},
                                               {"", "x"},
                                               {"Content-Length", "99"},
                                               {"transfer-encoding", "chunked"},
                                               {"X-Good", "y"}}),
                                    {});
  CAF_CHECK(!holds(written.head, "Cookie"));
  CAF_CHECK(!holds(written.head, "Bad"));
  CAF_CHECK(!holds(written.head, "99"));
  CAF_CHECK(!holds(written.head, "chunked"));
  CAF_CHECK(holds(written.head, "X-Good: y\r\n"));
  CAF_CHECK(write_answer(answer_of(7, "{}"), {}).head.starts_with("HTTP/1.1 500 "));
}

CAF_TEST(the connection is kept or closed as both sides want) {
  auto form = answer_form{};
  form.minor_version = 0;
  CAF_CHECK(holds(write_answer(answer_of(200, ""), form).head, "Connection: keep-alive\r\n"));
  form.keep_alive = false;
  CAF_CHECK(holds(write_answer(answer_of(200, ""), form).head, "Connection: close\r\n"));
  const auto asked = write_answer(answer_of(200, "", {{"Connection", "close"}}), {});
  CAF_CHECK(asked.close);
  CAF_CHECK(holds(asked.head, "Connection: close\r\n"));
}

CAF_TEST(long texts are compressed and caches are told) {
  const auto packed = write_answer(answer_of(200, long_body, {{"ETag", "\"v1\""}}), accepting_gzip());
  CAF_CHECK(holds(packed.head, "Content-Encoding: gzip\r\n"));
  CAF_CHECK(holds(packed.head, "Vary: Accept-Encoding\r\n"));
  CAF_CHECK(holds(packed.head, "ETag: W/\"v1\"\r\n"));
  CAF_CHECK(packed.head.size() < 1000);
  const auto plain = write_answer(answer_of(200, long_body, {{"ETag", "\"v1\""}}), {});
  CAF_CHECK(holds(plain.head, "Vary: Accept-Encoding\r\n"));
  CAF_CHECK(holds(plain.head, "ETag: \"v1\"\r\n"));
  CAF_CHECK(holds(write_answer(answer_of(200, long_body, {{"Vary", "Origin"}}), {}).head, "Vary: Accept-Encoding\r\n"));
  CAF_CHECK(!holds(write_answer(answer_of(200, "{}"), accepting_gzip()).head, "Encoding"));
  CAF_CHECK(
      !holds(write_answer(answer_of(200, long_body, {{"content-encoding", "br"}}), accepting_gzip()).head, "gzip"));
}

CAF_TEST(a large body is not copied behind the head) {
  const auto written = write_answer(answer_of(200, std::string(100'000, 'x')), {});
  CAF_CHECK_EQUAL(written.body.size(), 100'000u);
  CAF_CHECK(written.head.ends_with("\r\n\r\n"));
}

CAF_TEST(a stream is chunked or lasts as long as the connection) {
  response head;
  head.content_type = "text/event-stream";
  const auto chunked = write_stream_head(head, {});
  CAF_CHECK(holds(chunked.head, "Transfer-Encoding: chunked\r\n"));
  CAF_CHECK(!holds(chunked.head, "Content-Length"));
  CAF_CHECK(!chunked.close);
  answer_form old;
  old.minor_version = 0;
  const auto open_ended = write_stream_head(head, old);
  CAF_CHECK(!holds(open_ended.head, "Transfer-Encoding"));
  CAF_CHECK(open_ended.close);
}
