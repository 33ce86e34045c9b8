#define CAF_SUITE http_client

#include "runtime/outbound/http_client.hpp"
#include "tests/unit/outbound/local_server.hpp"

#include <caf/test/unit_test.hpp>

#include <cstdlib>
#include <future>
#include <zlib.h>

using namespace tobit;
using namespace tobit::outbound;
using namespace std::literals;
using test::connection;
using test::local_server;

namespace {

std::unique_ptr<http_client> client_that_allows(std::vector<std::string> allow, http_client_options options = {}) {
  options.guard.allow = std::move(allow);
  return make_http_client(options).value();
}

std::unique_ptr<http_client> client() { return client_that_allows({"127.0.0.0/8"}); }

std::future<result<http_response>> start(http_client& client, http_request request) {
  auto answer = std::make_shared<std::promise<result<http_response>>>();
  client.send(std::move(request), [answer](result<http_response> r) { answer->set_value(std::move(r)); });
  return answer->get_future();
}

result<http_response> wait(std::future<result<http_response>> answer) {
  if (answer.wait_for(20s) != std::future_status::ready) CAF_FAIL("the callback was not called");
  return answer.get();
}

result<http_response> send(http_client& client, http_request request) {
  return wait(start(client, std::move(request)));
}

http_request get(std::string url, std::chrono::milliseconds timeout = 5s) {
  http_request request;
  request.url = std::move(url);
  request.timeout = timeout;
  return request;
}

error_code code_of(const result<http_response>& answer) { return answer ? error_code{} : answer.error().code; }

void answer_all(connection& c) {
  while (!c.read_request().empty())
    if (!c.answer(200, "hello", "X-One: 1\r\nX-Two:  two \r\n")) return;
}

std::string gzip(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

} // namespace

CAF_TEST(an answer arrives with status and headers and body) {
  local_server server(answer_all);
  const auto answer = send(*client(), get(server.url()));
  CAF_REQUIRE(answer.has_value());
  CAF_CHECK_EQUAL(answer->status, 200);
  CAF_CHECK_EQUAL(answer->body, "hello");
  CAF_CHECK_EQUAL(answer->header("x-one"), "1");
  CAF_CHECK_EQUAL(answer->header("x-two"), "two");
  CAF_CHECK_EQUAL(answer->header("x-three"), "");
  CAF_CHECK(answer->took > 0us);
}

CAF_TEST(the request goes out as it was asked for) {
  std::string seen;
  local_server server([&](connection& c) {
    seen = c.read_request();
    c.answer(204, "");
  });
  auto request = get(server.url("/a/b?c=d%20e#fragment"));
  request.method = "DELETE";
  request.headers = {{"X-Key", "value"}, {"X-Empty", ""}, {"Content-Type", "text/x"}};
  request.body = std::string("a\0b", 3);
  CAF_CHECK_EQUAL(send(*client(), request)->status, 204);
  CAF_CHECK(seen.starts_with("DELETE /a/b?c=d%20e HTTP/1.1\r\n"));
  for (auto line : {"\r\nX-Key: value\r\n", "\r\nX-Empty:\r\n", "\r\nContent-Type: text/x\r\n",
                    "\r\nContent-Length: 3\r\n", "\r\nUser-Agent: tobit\r\n"})
    CAF_CHECK(seen.find(line) != seen.npos);
  CAF_CHECK(seen.ends_with(request.body));
  CAF_CHECK(seen.find("Expect") == seen.npos);
}

CAF_TEST(a post without body says that it is empty and claims no form) {
  std::string seen;
  local_server server([&](connection& c) {
    seen = c.read_request();
    c.answer(200, "");
  });
  auto request = get(server.url());
  request.method = "POST";
  CAF_CHECK(send(*client(), request).has_value());
  CAF_CHECK(seen.find("Content-Length: 0\r\n") != seen.npos);
  CAF_CHECK(seen.find("Content-Type") == seen.npos);
}

CAF_TEST(errors and redirects of the server are answers and not followed) {
  local_server server([&](connection& c) {
    while (true) {
      const auto request = c.read_request();
      if (request.empty()) return;
      if (request.starts_with("GET /500"))
        c.answer(500, "broken");
      else
        c.answer(302, "", "Location: http://127.0.0.1:1/\r\n");
    }
  });
  auto out = client();
  CAF_CHECK_EQUAL(send(*out, get(server.url("/500")))->status, 500);
  const auto redirect = send(*out, get(server.url("/302")));
  CAF_CHECK_EQUAL(redirect->status, 302);
  CAF_CHECK_EQUAL(redirect->header("location"), "http://127.0.0.1:1/");
}

CAF_TEST(a server that hangs is given up at the timeout) {
  local_server server([](connection& c) {
    while (!c.read_request().empty()) {
      // no answer until the client gives up
    }
  });
  const auto begun = std::chrono::steady_clock::now();
  const auto answer = send(*client(), get(server.url(), 200ms));
  CAF_CHECK(code_of(answer) == error_code::deadline_exceeded);
  CAF_CHECK(std::chrono::steady_clock::now() - begun < 3s);
  CAF_CHECK(answer.error().message.find(server.address()) != std::string::npos);
}

CAF_TEST(the timeout also counts for requests that wait for a connection) {
  local_server server([](connection& c) {
    while (!c.read_request().empty()) {
      // nop
    }
  });
  http_client_options options;
  options.connections_per_host = 1;
  auto out = client_that_allows({"127.0.0.1"}, options);
  auto first = start(*out, get(server.url(), 2s));
  auto second = start(*out, get(server.url(), 100ms));
  CAF_CHECK(code_of(wait(std::move(second))) == error_code::deadline_exceeded);
  CAF_CHECK(first.wait_for(0s) == std::future_status::timeout);
}

CAF_TEST(a server that closes early is a connection error) {
  for (std::string_view partial : {"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"}) {
    local_server server([&](connection& c) {
      c.read_request();
      c.write(partial);
    });
    CAF_CHECK(code_of(send(*client(), get(server.url()))) == error_code::connection_error);
  }
}

CAF_TEST(an answer that is not HTTP is an unusable answer) {
  local_server server([](connection& c) {
    c.read_request();
    c.write("220 mail.example ESMTP ready\r\n");
  });
  CAF_CHECK(code_of(send(*client(), get(server.url()))) == error_code::external_service_error);
}

CAF_TEST(a port where nobody listens is a connection error) {
  std::uint16_t port = 0;
  { port = local_server(answer_all).port(); }
  CAF_CHECK(code_of(send(*client(), get("http://127.0.0.1:" + std::to_string(port)))) == error_code::connection_error);
}

CAF_TEST(a name that does not exist is a connection error) {
  CAF_CHECK(code_of(send(*client(), get("http://does-not-exist.invalid/"))) == error_code::connection_error);
}

CAF_TEST(a body that streams for ever is cut off) {
  std::atomic<bool> client_left{false};
  local_server server([&](connection& c) {
    c.read_request();
    c.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    while (c.write("400\r\n" + std::string(1'024, 'x') + "\r\n")) {
      // nop
    }
    client_left = true;
  });
  auto request = get(server.url(), 15s);
  request.response_max = 100'000;
  auto out = client();
  const auto answer = send(*out, request);
  CAF_CHECK(code_of(answer) == error_code::external_service_error);
  CAF_CHECK(answer.error().message.find("100000 bytes") != std::string::npos);
}

CAF_TEST(a body of exactly the limit passes and one byte more does not ) {
  local_server server([](connection& c) {
    while (!c.read_request().empty()) c.answer(200, std::string(1'000, 'x'));
  });
  auto out = client();
  auto request = get(server.url());
  request.response_max = 1'000;
  CAF_CHECK_EQUAL(send(*out, request)->body.size(), 1'000u);
  request.response_max = 999;
  CAF_CHECK(code_of(send(*out, request)) == error_code::external_service_error);
}

CAF_TEST(endless headers are cut off) {
  for (const std::string start : {"HTTP/1.1 200 OK\r\n", "HTTP/1.1 100 Continue\r\n"}) {
    local_server server([&](connection& c) {
      c.read_request();
      c.write(start);
      while (
          c.write(start.find("100") != start.npos ? "\r\n" + start : "X-Filler: " + std::string(1'000, 'x') + "\r\n")) {
        // nop
      }
    });
    CAF_CHECK(code_of(send(*client(), get(server.url(), 15s))) == error_code::external_service_error);
  }
}

CAF_TEST(a compressed answer is unpacked and a bomb is cut off at the limit) {
  const auto bomb = gzip(std::string(50'000'000, 'a'));
  local_server server([&](connection& c) {
    while (true) {
      const auto request = c.read_request();
      if (request.empty()) return;
      c.answer(200, request.starts_with("GET /bomb") ? bomb : gzip("small"), "Content-Encoding: gzip\r\n");
    }
  });
  auto out = client();
  CAF_CHECK_EQUAL(send(*out, get(server.url("/small")))->body, "small");
  CAF_CHECK(code_of(send(*out, get(server.url("/bomb")))) == error_code::external_service_error);
}

CAF_TEST(a connection is used again) {
  local_server server(answer_all);
  auto out = client();
  for (int i = 0; i < 20; ++i) CAF_REQUIRE(send(*out, get(server.url())).has_value());
  CAF_CHECK_EQUAL(server.accepted(), 1);
}

CAF_TEST(a connection that the server closed meanwhile does no harm) {
  local_server server([](connection& c) {
    c.read_request();
    c.answer(200, "once");
  });
  auto out = client();
  for (int i = 0; i < 5; ++i) CAF_CHECK_EQUAL(send(*out, get(server.url()))->body, "once");
}

CAF_TEST(a thousand requests at the same time are answered over few connections) {
  local_server server(answer_all);
  auto out = client();
  std::vector<std::future<result<http_response>>> answers;
  for (int i = 0; i < 1'000; ++i) answers.push_back(start(*out, get(server.url(), 15s)));
  for (auto& answer : answers) CAF_CHECK_EQUAL(wait(std::move(answer))->status, 200);
  CAF_CHECK(server.accepted() <= 32);
}

CAF_TEST(what is beyond the bounds is refused at once) {
  local_server server([](connection& c) {
    while (!c.read_request().empty()) {
      // nop
    }
  });
  http_client_options options;
  options.in_flight_max = 4;
  options.in_flight_per_host_max = 3;
  auto out = client_that_allows({"127.0.0.1", "127.0.0.2"}, options);
  std::vector<std::future<result<http_response>>> kept;
  for (int i = 0; i < 3; ++i) kept.push_back(start(*out, get(server.url(), 10s)));
  CAF_CHECK(code_of(send(*out, get(server.url()))) == error_code::overloaded);
  kept.push_back(start(*out, get("http://127.0.0.2:" + std::to_string(server.port()), 10s)));
  CAF_CHECK(code_of(send(*out, get("http://127.0.0.2:1/"))) == error_code::overloaded);
  out.reset();
  std::size_t stopped = 0;
  for (auto& answer : kept) stopped += code_of(wait(std::move(answer))) == error_code::unavailable;
  CAF_CHECK(stopped >= 3); // the last may have been refused by the machine first
}

CAF_TEST(literal private addresses are refused before anything is sent) {
  local_server server(answer_all);
  auto out = client_that_allows({});
  for (const auto& url : {server.url(), "http://169.254.169.254/latest/meta-data/"s + "x",
                          "http://2130706433:"s + std::to_string(server.port()),
                          "http://[::ffff:127.0.0.1]:"s + std::to_string(server.port())}) {
    const auto answer = send(*out, get(url));
    CAF_CHECK(code_of(answer) == error_code::address_refused);
    CAF_CHECK(answer.error().message.find("outbound.allow") != std::string::npos);
  }
  CAF_CHECK_EQUAL(server.accepted(), 0);
}

CAF_TEST(a name that resolves to a private address is refused on the socket) {
  local_server server(answer_all);
  const auto port = std::to_string(server.port());
  auto out = client_that_allows({});
  CAF_CHECK(code_of(send(*out, get("http://localhost:" + port))) == error_code::address_refused);
  // These pass the check of the text and are found out only when the socket is opened.
  for (const auto& host : {"①②⑦.⓪.⓪.①"s, "127.0.0.1.."s}) {
    const auto answer = send(*out, get("http://" + host + ":" + port));
    const auto code = code_of(answer);
    CAF_MESSAGE(answer.error().message);
    CAF_CHECK(code == error_code::address_refused || code == error_code::connection_error ||
              code == error_code::validation_error);
  }
  // The first address of the name is refused, the name itself is not: only 127.0.0.2 would be allowed.
  auto elsewhere = client_that_allows({"[::1]:1", "127.0.0.1:1"});
  CAF_CHECK(code_of(send(*elsewhere, get("http://localhost:" + port))) == error_code::address_refused);
  char name[256] = {};
  gethostname(name, sizeof name - 1);
  const auto by_host_name = send(*out, get("http://" + std::string(name) + ":" + port));
  CAF_CHECK(!by_host_name);
  CAF_CHECK_EQUAL(server.accepted(), 0);
  auto allowed = client_that_allows({"localhost"});
  CAF_CHECK(send(*allowed, get("http://localhost:" + port)).has_value());
}

CAF_TEST(trust passes the guard but leaves no connection for others) {
  local_server server(answer_all);
  auto out = client_that_allows({});
  auto own = get(server.url());
  own.trusted = true;
  CAF_CHECK_EQUAL(send(*out, own)->status, 200);
  CAF_CHECK(code_of(send(*out, get(server.url()))) == error_code::address_refused);
  CAF_CHECK_EQUAL(send(*out, own)->status, 200);
  CAF_CHECK_EQUAL(server.accepted(), 1);
}

CAF_TEST(line breaks in headers and methods are refused) {
  auto out = client();
  for (const auto& bad : {"a\r\nX: y"s, "a\nb"s, "a\rb"s, "a\0b"s, "a\x7f"s}) {
    auto request = get("http://example.com/");
    request.headers = {{"X-Test", bad}};
    CAF_CHECK(code_of(send(*out, request)) == error_code::validation_error);
    request.headers = {{bad, "x"}};
    CAF_CHECK(code_of(send(*out, request)) == error_code::validation_error);
    request.headers.clear();
    request.method = "GET " + bad;
    CAF_CHECK(code_of(send(*out, request)) == error_code::validation_error);
  }
  for (const std::string name : {"Content-Length", "transfer-encoding", "Connection", "Proxy-Authorization"}) {
    auto request = get("http://example.com/");
    request.headers = {{name, "5"}};
    CAF_CHECK(code_of(send(*out, request)) == error_code::validation_error);
  }
  for (const std::string method : {"CONNECT", "TRACE", ""}) {
    auto request = get("http://example.com/");
    request.method = method;
    CAF_CHECK(code_of(send(*out, request)) == error_code::validation_error);
  }
}

CAF_TEST(a proxy of the environment is not used) {
  std::atomic<int> through_proxy{0};
  local_server proxy([&](connection& c) {
    if (!c.read_request().empty()) ++through_proxy;
    c.answer(200, "proxy");
  });
  local_server server(answer_all);
  for (auto name : {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"}) setenv(name, proxy.url().c_str(), 1);
  const auto answer = send(*client(), get(server.url()));
  for (auto name : {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"}) unsetenv(name);
  CAF_CHECK_EQUAL(answer->body, "hello");
  CAF_CHECK_EQUAL(through_proxy.load(), 0);
}

CAF_TEST(a server that speaks no TLS is a connection error) {
  local_server server([](connection& c) {
    c.answer(200, "plain");
    c.read_request();
  });
  CAF_CHECK(code_of(send(*client(), get("https://" + server.address()))) == error_code::connection_error);
}

CAF_TEST(a callback may send the next request) {
  local_server server(answer_all);
  auto out = client();
  std::promise<result<http_response>> last;
  out->send(get(server.url()), [&](result<http_response>) {
    out->send(get(server.url()), [&](result<http_response> second) { last.set_value(std::move(second)); });
  });
  CAF_CHECK_EQUAL(wait(last.get_future())->status, 200);
}

CAF_TEST(a malformed allow list gives no client) {
  http_client_options options;
  options.guard.allow = {"not/an/address"};
  const auto made = make_http_client(options);
  CAF_CHECK(!made && made.error().code == error_code::configuration_error);
}
