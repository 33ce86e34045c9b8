#define CAF_SUITE event_command

#include "fake_node.hpp"

#include <caf/test/unit_test.hpp>

#include <fstream>

using namespace tobit;

namespace {

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

/// Counts lines; refuses those that are not objects.
struct intake {
  std::vector<std::vector<std::string>> chunks;
  result<outbound::http_response> operator()(const outbound::http_request& request) {
    if (contains(request.url, "/auth/me")) return success(json::object());
    chunks.push_back(lines_of(request.body));
    json rejected = json::array();
    std::size_t index = 0, accepted = 0;
    for (const auto& line : chunks.back()) {
      const auto event = json::parse(line, nullptr, false);
      if (event.is_object())
        ++accepted;
      else
        rejected.push_back(
            {{"index", index}, {"error", "VALIDATION_ERROR"}, {"reason", "Not an object."}, {"pointer", ""}});
      ++index;
    }
    const json report{
        {"accepted", accepted}, {"duplicate", 0}, {"rejected", rejected.size()}, {"rejections", rejected}};
    if (accepted > 0) return success(report);
    auto answer = refusal(400, "VALIDATION_ERROR", "None of the events was taken.");
    auto body = json::parse(answer.body);
    body["data"].update(report);
    answer.body = body.dump();
    return answer;
  }
};

struct post_office {
  fake_shell shell;
  intake node;
  post_office() {
    shell.node = [this](const auto& request) { return node(request); };
  }
};

} // namespace

CAF_TEST(events come from arguments in any layout) {
  post_office p;
  CAF_CHECK_EQUAL(
      p.shell.run({"event", "send", R"({"type":"a"})", "{\n\"type\": \"b\"\n}", R"([{"type":"c"},{"type":"d"}])"}), 0);
  CAF_CHECK_EQUAL(p.shell.out, "4 accepted, 0 duplicate, 0 rejected\n");
  CAF_REQUIRE_EQUAL(p.node.chunks.size(), 1u);
  CAF_CHECK_EQUAL(p.node.chunks[0].at(1), R"({"type":"b"})");
  CAF_CHECK_EQUAL(sent_header(p.shell.requests.back(), "Content-Type"), "application/x-ndjson");
}

CAF_TEST(lines are sent in chunks and their numbers stay) {
  post_office p;
  std::string input;
  for (int i = 0; i < 2'500; ++i)
    input += i == 2'100 ? "nonsense\n" : "{\"type\":\"t\",\"n\":" + std::to_string(i) + "}\n";
  CAF_CHECK_EQUAL(p.shell.run({"event", "send"}, input), 1);
  CAF_CHECK_EQUAL(p.node.chunks.size(), 3u);
  CAF_CHECK_EQUAL(p.shell.out, "2499 accepted, 0 duplicate, 1 rejected\n");
  CAF_CHECK(contains(p.shell.err, "refused  event 2101: Not an object."));
  CAF_CHECK_EQUAL(p.shell.run({"event", "send", "--json", "--chunk", "100"}, input), 1);
  CAF_CHECK_EQUAL(parsed(p.shell.out).at("refusals").at(0).at("event"), 2'101);
}

CAF_TEST(a list or a document over several lines is read as a whole) {
  post_office p;
  CAF_CHECK_EQUAL(p.shell.run({"event", "send", "-f", "-"}, "\n[\n {\"type\":\"a\"},\n {\"type\":\"b\"}\n]\n"), 0);
  CAF_CHECK_EQUAL(p.shell.out, "2 accepted, 0 duplicate, 0 rejected\n");
  CAF_CHECK_EQUAL(p.shell.run({"event", "send"}, "[{\"type\": }]"), 2);
  CAF_CHECK(contains(p.shell.err, "standard input: "));
  CAF_CHECK_EQUAL(p.shell.run({"event", "send", "-f", "/does/not/exist"}), 2);
}

CAF_TEST(a chunk without one good event is counted like any other) {
  post_office p;
  CAF_CHECK_EQUAL(p.shell.run({"event", "send"}, "x\ny\n"), 1);
  CAF_CHECK_EQUAL(p.shell.out, "0 accepted, 0 duplicate, 2 rejected\n");
  CAF_CHECK(contains(p.shell.err, "refused  event 2: Not an object."));
}

CAF_TEST(a live pipe is sent on whenever it pauses) {
  post_office p;
  p.shell.input_pauses = true;
  CAF_CHECK_EQUAL(p.shell.run({"event", "send"}, "{\"type\":\"a\"}\n{\"type\":\"b\"}\n"), 0);
  CAF_CHECK_EQUAL(p.node.chunks.size(), 2u);
}

CAF_TEST(without input somebody at a terminal is told how) {
  post_office p;
  p.shell.input_is_terminal = true;
  CAF_CHECK_EQUAL(p.shell.run({"event", "send"}), 2);
  CAF_CHECK(contains(p.shell.err, "standard input"));
}

CAF_TEST(a chunk that was not acknowledged is named and not sent twice) {
  post_office p;
  std::size_t sent = 0;
  p.shell.node = [&](const auto& request) -> result<outbound::http_response> {
    if (contains(request.url, "ingest") && ++sent == 2) return fail(error_code::connection_error, "Connection reset.");
    return p.node(request);
  };
  CAF_CHECK_EQUAL(p.shell.run({"event", "send", "--chunk", "2", "--parallel", "1"}, "{}\n{}\n{}\n{}\n{}\n{}\n"), 3);
  CAF_CHECK(contains(p.shell.out, "2 accepted, 0 duplicate, 0 rejected, 2 not acknowledged"));
  CAF_CHECK(contains(p.shell.err, "events 3 to 4"));
  CAF_CHECK(contains(p.shell.err, "Event 5 and those after it were not sent."));
  CAF_CHECK_EQUAL(sent, 2u);
}
