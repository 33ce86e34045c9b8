#define CAF_SUITE head_parser

#include "http/server/head_parser.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;
using namespace tobit::http;
using namespace tobit::http::edge;

namespace {

constexpr head_limits limits{4096, 10, 512};

/// Feeds the scanner as a connection would and parses what it found.
result<request_head> parse_whole(std::string_view bytes) {
  head_scanner scanner;
  switch (scanner.scan(bytes)) {
  case head_scanner::verdict::incomplete:
    return fail(error_code::request_timeout);
  case head_scanner::verdict::malformed:
    return fail(error_code::validation_error);
  case head_scanner::verdict::complete:
    break;
  }
  return parse_head(bytes.substr(scanner.begin(), scanner.end() - scanner.begin()), limits);
}

result<request_head> parse_with(std::string_view headers) {
  return parse_whole("POST /x HTTP/1.1\r\nHost: h\r\n" + std::string{headers} + "\r\n");
}

result<request_head> parse_target_of(std::string_view target) {
  return parse_whole("GET " + std::string{target} + " HTTP/1.1\r\nHost: h\r\n\r\n");
}

std::string path_of(std::string_view target) {
  const auto head = parse_target_of(target);
  return head ? head->incoming.path : "refused";
}

bool is_refused(const result<request_head>& outcome, error_code code = error_code::validation_error) {
  return !outcome && outcome.error().code == code;
}

} // namespace

CAF_TEST(a usual request is read with all its parts) {
  const auto head = parse_whole("GET /a%20b?x=1&y=%C3%A9+e&flag HTTP/1.1\r\nHost: example.org:80\r\n"
                                "Accept:  text/html \t\r\nX-Empty:\r\n\r\n");
  CAF_REQUIRE(head.has_value());
  const auto& got = head->incoming;
  CAF_CHECK_EQUAL(got.method, "GET");
  CAF_CHECK_EQUAL(got.target, "/a%20b?x=1&y=%C3%A9+e&flag");
  CAF_CHECK_EQUAL(got.path, "/a b");
  CAF_CHECK_EQUAL(*got.query_value("x"), "1");
  CAF_CHECK_EQUAL(*got.query_value("y"), "\xC3\xA9 e");
  CAF_CHECK_EQUAL(*got.query_value("flag"), "");
  CAF_CHECK(got.query_value("z") == nullptr);
  CAF_CHECK_EQUAL(got.header("accept"), "text/html");
  CAF_CHECK_EQUAL(got.header("x-empty"), "");
  CAF_CHECK(head->keep_alive);
  CAF_CHECK(head->body == framing::none);
}

CAF_TEST(the headers say how the body is framed and whether the connection stays) {
  CAF_CHECK(parse_with("Content-Length: 12\r\n")->content_length == 12);
  CAF_CHECK(parse_with("Content-Length: 12\r\n")->body == framing::length);
  CAF_CHECK(parse_with("Content-Length: 0\r\n")->body == framing::none);
  CAF_CHECK(parse_with("Transfer-Encoding: Chunked\r\n")->body == framing::chunked);
  CAF_CHECK(!parse_with("Connection: close\r\n")->keep_alive);
  CAF_CHECK(!parse_with("Connection: keep-alive, Close\r\n")->keep_alive);
  CAF_CHECK(parse_with("Expect: 100-Continue\r\n")->expects_continue);
  CAF_CHECK(!parse_whole("GET / HTTP/1.0\r\n\r\n")->keep_alive);
  CAF_CHECK(parse_whole("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")->keep_alive);
}

CAF_TEST(what two programs could read differently is refused) {
  for (const char* headers : {"Content-Length: 1\r\nContent-Length: 1\r\n",
                              "Content-Length: 1, 1\r\n",
                              "Content-Length: +1\r\n",
                              "Content-Length: -1\r\n",
                              "Content-Length: 0x1\r\n",
                              "Content-Length: 1 2\r\n",
                              "Content-Length:\r\n",
                              "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
                              "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n",
                              "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
                              "Content-Length : 1\r\n",
                              " Folded: 1\r\n",
                              "A: b\r\n c\r\n",
                              "A: b\r\n\tc\r\n",
                              "A\r\n",
                              ": b\r\n",
                              "A: b\rc\r\n",
                              "A: b\r\r\n",
                              "A: \x01\r\n",
                              "A b: c\r\n",
                              "Host: again\r\n",
                              "\x80: a\r\n",
                              "A: \x7f\r\n",
                              "A: b\nC: d\r\n"})
    CAF_CHECK(is_refused(parse_with(headers)));
  CAF_CHECK(is_refused(parse_with(std::string_view{"A: b\0c\r\n", 8})));
  CAF_CHECK(is_refused(parse_with("Transfer-Encoding: gzip, chunked\r\n"), error_code::not_implemented));
  CAF_CHECK(is_refused(parse_with("Transfer-Encoding: identity\r\n"), error_code::not_implemented));
  CAF_CHECK(is_refused(parse_with("Content-Length: 99999999999999999999\r\n"), error_code::payload_too_large));
  CAF_CHECK(is_refused(parse_with("Expect: a-miracle\r\n"), error_code::expectation_failed));
  CAF_CHECK(is_refused(parse_whole("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n")));
}

CAF_TEST(a request line is read strictly) {
  for (const char* line : {"GET /",
                           "GET  / HTTP/1.1",
                           "GET / HTTP/1.1 ",
                           " GET / HTTP/1.1",
                           "GET / HTTP/2.0",
                           "GET / http/1.1",
                           "GET / HTTP/1.",
                           "GET / HTTP/11",
                           "G(T / HTTP/1.1",
                           "GET /\t HTTP/1.1",
                           "GET",
                           "PRI * HTTP/2.0",
                           "GET x HTTP/1.1",
                           "GET * HTTP/1.1",
                           "GET /a#b HTTP/1.1",
                           "CONNECT host:443 HTTP/1.1",
                           "GET ftp://h/x HTTP/1.1",
                           "GET http:///x HTTP/1.1",
                           "GET http://u@h/x HTTP/1.1",
                           "GET http://a b/ HTTP/1.1",
                           "GET / HTTP/1.1\r"})
    CAF_CHECK(is_refused(parse_whole(std::string{line} + "\r\nHost: h\r\n\r\n")));
  CAF_CHECK(parse_whole("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n")->incoming.path == "*");
  CAF_CHECK(parse_whole("M-SEARCH / HTTP/1.1\r\nHost: h\r\n\r\n")->incoming.method == "M-SEARCH");
  CAF_CHECK(is_refused(parse_whole("GET / HTTP/1.1\r\n\r\n")));
  CAF_CHECK(is_refused(parse_whole("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n")));
}

CAF_TEST(an absolute target brings its own host) {
  const auto head = parse_target_of("http://other.example:8080/a?b=c");
  CAF_REQUIRE(head.has_value());
  CAF_CHECK_EQUAL(head->incoming.path, "/a");
  CAF_CHECK_EQUAL(head->incoming.header("host"), "other.example:8080");
  CAF_CHECK_EQUAL(*head->incoming.query_value("b"), "c");
  CAF_CHECK_EQUAL(path_of("HTTPS://other.example"), "/");
  CAF_CHECK_EQUAL(path_of("http://other.example?x"), "/");
}

CAF_TEST(paths are decoded and no spelling of a dot segment survives) {
  CAF_CHECK_EQUAL(path_of("/a/./b/../c"), "/a/c");
  CAF_CHECK_EQUAL(path_of("/%2e%2E/x"), "/x");
  CAF_CHECK_EQUAL(path_of("/a/..%2f..%2fetc"), "/etc");
  CAF_CHECK_EQUAL(path_of("/../.."), "/");
  CAF_CHECK_EQUAL(path_of("/a/b/.."), "/a/");
  CAF_CHECK_EQUAL(path_of("/a/."), "/a/");
  CAF_CHECK_EQUAL(path_of("/.hidden/..x"), "/.hidden/..x");
  CAF_CHECK_EQUAL(path_of("//a"), "//a");
  CAF_CHECK_EQUAL(path_of("/%EA%B7%9C"), "/\xEA\xB7\x9C");
  CAF_CHECK_EQUAL(path_of("/\xEA\xB7\x9C"), "/\xEA\xB7\x9C");
  for (const char* bad : {"/%", "/%4", "/%4g", "/%00", "/%0d%0a", "/%ff", "/%C3", "/\xff", "/%ED%A0%80", "/%C0%AF",
                          "/x?a=%f", "/x?a=%ff", "/x?%00"})
    CAF_CHECK_EQUAL(path_of(bad), "refused");
}

CAF_TEST(limits name themselves) {
  CAF_CHECK(is_refused(parse_target_of("/" + std::string(512, 'a')), error_code::uri_too_long));
  CAF_CHECK(parse_target_of("/" + std::string(511, 'a')).has_value());
  CAF_CHECK(is_refused(parse_with("A: " + std::string(4096, 'a') + "\r\n"), error_code::headers_too_large));
  std::string many;
  for (int i = 0; i < 9; ++i) many += "A: b\r\n";
  CAF_CHECK(parse_with(many).has_value());
  CAF_CHECK(is_refused(parse_with(many + "A: b\r\n"), error_code::headers_too_large));
}

CAF_TEST(the end of a head is found however the bytes are cut) {
  const std::string bytes = "\r\nGET / HTTP/1.1\r\nHost: h\r\nA: b\r\n\r\nnext";
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    head_scanner scanner;
    auto verdict = scanner.scan(std::string_view{bytes}.substr(0, cut));
    CAF_CHECK(verdict != head_scanner::verdict::malformed);
    if (verdict == head_scanner::verdict::incomplete) verdict = scanner.scan(bytes);
    CAF_CHECK(verdict == head_scanner::verdict::complete);
    CAF_CHECK_EQUAL(scanner.begin(), 2u);
    CAF_CHECK_EQUAL(scanner.end(), bytes.size() - 4);
  }
}

CAF_TEST(what cannot become a request is noticed before its end) {
  for (const char* bytes :
       {"\x16\x03\x01", "GET / HTTP/1.1\n", "\n", "\r\n\r\n\r\n\r\n\r\n", " GET", "GET / HTTP/1.1\r\nHost: h\n"}) {
    head_scanner scanner;
    CAF_CHECK(scanner.scan(bytes) == head_scanner::verdict::malformed);
  }
}
