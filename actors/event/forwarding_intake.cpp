#include "actors/event/forwarding_intake.hpp"

#include "actors/event/event_parser.hpp"

#include <utility>

namespace tobit::event {

namespace {

/// An answer by which nobody is the wiser: the log is moving, and another try may find it.
bool elsewhere(const error& why) { return why.code == error_code::fenced || why.code == error_code::unavailable; }

ingest_request lines_of(const call_context& context, std::string text) {
  ingest_request request;
  request.context = context;
  request.format = event_format::ndjson;
  request.body = std::move(text);
  return request;
}

class forwarding_intake final : public event_intake {
public:
  explicit forwarding_intake(forwarding_deps deps) : deps_(std::move(deps)) {}

  void ingest(ingest_request request, std::function<void(result<ingest_report>)> done) override {
    auto parsed = parse_events(request, deps_.time->now(), deps_.limits);
    if (!parsed) return done(fail(std::move(parsed.error())));
    auto one = std::make_shared<under_way>();
    one->report = std::move(parsed->report);
    one->done = std::move(done);
    if (parsed->events.lines.empty()) return one->done(std::move(one->report));
    one->context = std::move(request.context);
    one->text = std::move(parsed->events.text);
    if (const auto log = deps_.local())
      log->intake().ingest(lines_of(one->context, one->text), [this, one, log](result<ingest_report> got) {
        if (!got && elsewhere(got.error())) return forward(one);
        if (!got) return one->done(fail(got.error()));
        finish(*one, got->accepted, got->duplicate);
      });
    else
      forward(one);
  }

private:
  struct under_way {
    call_context context;
    std::string text;
    ingest_report report;
    std::function<void(result<ingest_report>)> done;
  };

  static void finish(under_way& one, std::size_t accepted, std::size_t duplicate) {
    one.report.accepted = accepted;
    one.report.duplicate = duplicate;
    one.done(std::move(one.report));
  }

  void forward(const std::shared_ptr<under_way>& one) const {
    auto request = message::of(cluster::append_events{one->text});
    deps_.ask_leader(one->context, std::move(request), [one](result<message> got) {
      if (!got) return one->done(fail(got.error()));
      const auto* told = got->as<cluster::events_appended>();
      if (!told) return one->done(fail(error_code::internal_server_error));
      finish(*one, told->accepted, told->duplicate);
    });
  }

  const forwarding_deps deps_;
};

} // namespace

std::unique_ptr<event_intake> make_forwarding_intake(forwarding_deps deps) {
  return std::make_unique<forwarding_intake>(std::move(deps));
}

void append_forwarded(const std::shared_ptr<event_log>& log, const call_context& context,
                      const cluster::append_events& request, std::function<void(result<message>)> reply) {
  if (!log) return reply(fail(error_code::fenced));
  log->intake().ingest(lines_of(context, request.lines), [log, reply = std::move(reply)](result<ingest_report> got) {
    if (!got) return reply(fail(elsewhere(got.error()) ? error{error_code::fenced} : got.error()));
    reply(message::of(cluster::events_appended{got->accepted, got->duplicate}));
  });
}

} // namespace tobit::event
