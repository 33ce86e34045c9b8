#define CAF_SUITE smtp_client

#include "runtime/outbound/outbound_client.hpp"
#include "tests/unit/outbound/local_server.hpp"

#include <caf/test/unit_test.hpp>

#include <future>
#include <map>

using namespace tobit;
using namespace tobit::outbound;
using namespace std::literals;
using test::connection;
using test::local_server;

namespace {

using outcome = tl::expected<mail_receipt, mail_failure>;

std::unique_ptr<outbound_client> client(std::vector<std::string> allow = {"127.0.0.0/8"}) {
  http_client_options options;
  options.guard.allow = std::move(allow);
  return make_outbound_client(options).value();
}

outcome send(outbound_client& through, mail_request mail) {
  auto answer = std::make_shared<std::promise<outcome>>();
  through.send(std::move(mail), [answer](outcome end) { answer->set_value(std::move(end)); });
  auto future = answer->get_future();
  if (future.wait_for(20s) != std::future_status::ready) CAF_FAIL("the callback was not called");
  return future.get();
}

mail_request mail_to(const local_server& server) {
  mail_request mail;
  mail.host = "127.0.0.1";
  mail.port = server.port();
  mail.security = mail_security::none;
  mail.from = "tobit@example.com";
  mail.to = {"ops@example.com"};
  mail.message = "Subject: x\r\n\r\n.a line that begins with a dot\r\nbye\r\n";
  mail.timeout = 5s;
  return mail;
}

/// A mail server by the book, except for what a test tells it.
struct mail_server {
  std::map<std::string, std::string> replies; ///< by the beginning of the command; empty: it dies
  bool hang_after_data = false;
  std::promise<std::string> received;

  void operator()(connection& c) {
    c.write("220 test ESMTP\r\n");
    while (const auto line = c.read_line()) {
      if (line->starts_with("DATA")) {
        c.write("354 go on\r\n");
        std::string mail;
        for (auto text = c.read_line(); text && *text != "."; text = c.read_line()) mail += *text + "\n";
        received.set_value(mail);
        if (hang_after_data) {
          while (c.read_line()) continue; // not even a farewell is answered
          return;
        }
      }
      const auto told = reply_to(*line);
      if (told.empty()) return;
      if (!c.write(told + "\r\n")) return;
      if (line->starts_with("QUIT")) return;
    }
  }

  std::string reply_to(const std::string& command) const {
    for (const auto& [begin, reply] : replies)
      if (command.starts_with(begin)) return reply;
    return command.starts_with("EHLO")   ? "250-test\r\n250 SIZE 1000000"
           : command.starts_with("DATA") ? "250 2.0.0 queued as 7"
           : command.starts_with("QUIT") ? "221 bye"
                                         : "250 ok";
  }
};

} // namespace

CAF_TEST(a mail is handed over once and confirmed) {
  mail_server book;
  local_server server([&](connection& c) { book(c); });
  const auto through = client();
  const auto end = send(*through, mail_to(server));
  CAF_REQUIRE(end.has_value());
  CAF_CHECK_EQUAL(end->reply, "250 2.0.0 queued as 7");
  CAF_CHECK(end->refused.empty());
  CAF_CHECK_EQUAL(book.received.get_future().get(), "Subject: x\n\n..a line that begins with a dot\nbye\n");
  CAF_CHECK_EQUAL(server.accepted(), 1);
}

CAF_TEST(one wrong recipient does not keep the others from their mail) {
  mail_server book;
  book.replies["RCPT TO:<gone@"] = "550 5.1.1 no such user";
  local_server server([&](connection& c) { book(c); });
  auto mail = mail_to(server);
  mail.to = {"ops@example.com", "gone@example.com", "also@example.com"};
  const auto end = send(*client(), mail);
  CAF_REQUIRE(end.has_value());
  CAF_REQUIRE_EQUAL(end->refused.size(), 1u);
  CAF_CHECK_EQUAL(end->refused[0].first, "gone@example.com");
  CAF_CHECK_EQUAL(end->refused[0].second, "550 5.1.1 no such user");
}

CAF_TEST(a refusal is told with the code of the server) {
  for (const auto& [command, reply, code] :
       std::vector<std::tuple<std::string, std::string, int>>{{"RCPT", "550 no such user", 550},
                                                              {"MAIL", "452 too busy", 452},
                                                              {"DATA", "554 spam", 554},
                                                              {"DATA", "451 later", 451}}) {
    mail_server book;
    book.replies[command] = reply;
    local_server server([&](connection& c) { book(c); });
    const auto end = send(*client(), mail_to(server));
    CAF_REQUIRE(!end.has_value());
    CAF_CHECK_EQUAL(end.error().reply_code, code);
    CAF_CHECK(!end.error().outcome_unknown);
    CAF_CHECK(end.error().why.message.find(reply) != std::string::npos);
  }
}

CAF_TEST(a server that dies before the mail is out has not taken it) {
  for (const char* command : {"EHLO", "MAIL", "RCPT"}) {
    mail_server book;
    book.replies[command] = "";
    if (command == std::string("EHLO")) book.replies["HELO"] = "";
    local_server server([&](connection& c) { book(c); });
    const auto end = send(*client(), mail_to(server));
    CAF_REQUIRE(!end.has_value());
    CAF_CHECK(!end.error().outcome_unknown);
    CAF_CHECK_EQUAL(end.error().reply_code, 0);
  }
}

CAF_TEST(a server that dies or falls silent after the mail leaves the outcome unknown) {
  for (bool hangs : {false, true}) {
    mail_server book;
    book.replies["DATA"] = "";
    book.hang_after_data = hangs;
    local_server server([&](connection& c) { book(c); });
    auto mail = mail_to(server);
    mail.timeout = 1s;
    const auto begun = std::chrono::steady_clock::now();
    const auto end = send(*client(), mail);
    CAF_REQUIRE(!end.has_value());
    CAF_CHECK(end.error().outcome_unknown);
    CAF_CHECK_EQUAL(server.accepted(), 1);
    CAF_CHECK(std::chrono::steady_clock::now() - begun < 4s);
  }
}

CAF_TEST(nothing is said in the clear where STARTTLS is wanted) {
  mail_server book;
  local_server server([&](connection& c) { book(c); });
  auto mail = mail_to(server);
  mail.security = mail_security::starttls;
  mail.user = "u";
  mail.password = "p";
  const auto end = send(*client(), mail);
  CAF_REQUIRE(!end.has_value());
  CAF_CHECK(end.error().why.message.find("STARTTLS") != std::string::npos);
  mail.security = mail_security::none;
  CAF_CHECK(send(*client(), mail).error().why.code == error_code::validation_error);
}

CAF_TEST(mail servers stand behind the same guard as everything else) {
  mail_server book;
  local_server server([&](connection& c) { book(c); });
  const auto strict = client({});
  CAF_CHECK(send(*strict, mail_to(server)).error().why.code == error_code::address_refused);
  auto mail = mail_to(server);
  mail.host = "localhost";
  CAF_CHECK(send(*strict, mail).error().why.code == error_code::address_refused);
  CAF_CHECK_EQUAL(server.accepted(), 0);
}

CAF_TEST(what could smuggle in a command is refused) {
  mail_server book;
  local_server server([&](connection& c) { book(c); });
  const auto through = client();
  const auto refused = [&](auto change) {
    auto mail = mail_to(server);
    change(mail);
    const auto end = send(*through, mail);
    return !end && end.error().why.code == error_code::validation_error;
  };
  CAF_CHECK(refused([](mail_request& m) { m.to = {"a@example.com>\r\nRCPT TO:<b@example.com"}; }));
  CAF_CHECK(refused([](mail_request& m) { m.from = "a@example.com\r\nDATA"; }));
  CAF_CHECK(refused([](mail_request& m) { m.to.clear(); }));
  CAF_CHECK(refused([](mail_request& m) { m.to.assign(101, "a@example.com"); }));
  CAF_CHECK(refused([](mail_request& m) { m.message = std::string(mail_bytes_max + 1, 'x'); }));
  CAF_CHECK(refused([](mail_request& m) { m.host = "127.0.0.1/x"; }));
  CAF_CHECK(refused([](mail_request& m) { m.host = "user@127.0.0.1"; }));
  CAF_CHECK_EQUAL(server.accepted(), 0);
}

CAF_TEST(mails that are under way at the end are told so) {
  mail_server book;
  book.hang_after_data = true;
  local_server server([&](connection& c) { book(c); });
  auto through = client();
  auto answer = std::make_shared<std::promise<outcome>>();
  through->send(mail_to(server), [answer](outcome end) { answer->set_value(std::move(end)); });
  book.received.get_future().wait();
  through.reset();
  const auto end = answer->get_future().get();
  CAF_REQUIRE(!end.has_value());
  CAF_CHECK(end.error().why.code == error_code::unavailable);
  CAF_CHECK(end.error().outcome_unknown);
}
