#define CAF_SUITE job_desk

#include "runtime/job/job_desk.hpp"
#include "runtime/time/clock.hpp"
#include "tests/support/scratch_database.hpp"

#include <caf/test/dsl.hpp>

#include <future>

using namespace tobit;
using namespace tobit::job;
using namespace std::chrono_literals;

namespace {

constexpr auto patience = 20s;

/// Work that waits until the test lets it go on, or it is called off.
class stepped_work final : public job_work {
public:
  std::string_view kind() const noexcept override { return "stepped"; }
  result<json> check(const job_order& order) const override {
    if (order.wish.value("bad", false)) return fail(error_code::validation_error, "Bad.", "/bad");
    auto wish = order.wish;
    wish["checked"] = true;
    return wish;
  }
  result<json> run(const job_order& order, job_progress& progress) override {
    begun.set_value();
    progress.report(3, 10, {{"step", 1}});
    const auto free = go_on.get_future();
    while (free.wait_for(1ms) != std::future_status::ready)
      if (progress.called_off()) return fail(error_code::unavailable);
    if (order.wish.value("throws", false)) throw std::runtime_error("trouble");
    if (order.wish.value("fails", false)) return fail(error_code::unprocessable, "It cannot be.");
    return json{{"answer", 42}};
  }
  std::promise<void> begun, go_on;
};

struct fixture {
  fixture() { open(); }
  void open(const job_options& options = {}) {
    desk.reset();
    work = std::make_unique<stepped_work>();
    desk = std::make_unique<job_desk>(stored.get(), time, bus.get(), node_id{"n1"}, options);
    desk->add(*work);
    CAF_REQUIRE(desk->start().has_value());
  }
  template <class F>
  result<job_view> awaited(F start) {
    auto slot = std::make_shared<std::promise<result<job_view>>>();
    auto answer = slot->get_future();
    start([slot](result<job_view> view) { slot->set_value(std::move(view)); });
    CAF_REQUIRE(answer.wait_for(patience) == std::future_status::ready);
    return answer.get();
  }
  result<job_view> submit(json wish = json::object(), const char* kind = "stepped") {
    return awaited([&](auto done) {
      desk->submit({kind, tenant, "subject", std::move(wish), "ann"}, std::move(done));
    });
  }
  result<job_view> find(const std::string& id, const char* in = "default") {
    return awaited([&](auto done) { desk->find(tenant_id{in}, "stepped", id, std::move(done)); });
  }
  result<job_view> call_off(const std::string& id) {
    return awaited([&](auto done) { desk->call_off(tenant, "stepped", id, std::move(done)); });
  }
  /// The end of a job, as the stream tells it.
  std::future<void> end_of(const std::string& id) {
    auto told = std::make_shared<std::promise<void>>();
    watch = bus->subscribe(tenant, topic_of(id), 0, [told](const stream::stream_item& item) {
      if (item.event == "finished") told->set_value();
    });
    return told->get_future();
  }
  void begin() { CAF_REQUIRE(work->begun.get_future().wait_for(patience) == std::future_status::ready); }

  const tenant_id tenant{"default"};
  testing::scratch_database stored;
  system_clock time;
  std::unique_ptr<stream::event_bus> bus = stream::make_event_bus();
  std::unique_ptr<stepped_work> work;
  std::unique_ptr<job_desk> desk;
  std::shared_ptr<void> watch;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(job_desk_suite, fixture)

CAF_TEST(a job is taken runs and leaves its report) {
  const auto taken = submit({{"n", 1}});
  CAF_REQUIRE(taken.has_value());
  CAF_CHECK_EQUAL(taken->status, "waiting");
  CAF_CHECK(taken->order.wish["checked"] == true);
  auto end = end_of(taken->id);
  begin();
  work->go_on.set_value();
  CAF_REQUIRE(end.wait_for(patience) == std::future_status::ready);
  const auto done = find(taken->id);
  CAF_REQUIRE(done.has_value());
  CAF_CHECK_EQUAL(done->status, "done");
  CAF_CHECK(done->report == json({{"answer", 42}}));
  CAF_CHECK_EQUAL(done->done, 3);
  CAF_CHECK_EQUAL(done->total, 10);
  CAF_CHECK(done->finished_at.has_value());
  CAF_CHECK(!find(taken->id, "other").has_value()); // another tenant's
}

CAF_TEST(work that fails or throws ends its job and nothing else) {
  for (const auto* how : {"fails", "throws"}) {
    open();
    const auto taken = submit({{how, true}});
    CAF_REQUIRE(taken.has_value());
    auto end = end_of(taken->id);
    begin();
    work->go_on.set_value();
    CAF_REQUIRE(end.wait_for(patience) == std::future_status::ready);
    const auto over = find(taken->id);
    CAF_REQUIRE(over.has_value());
    CAF_CHECK_EQUAL(over->status, "failed");
    CAF_CHECK(over->failure.has_value());
  }
}

CAF_TEST(an order that is wrong is refused before it is taken) {
  const auto wrong = submit({{"bad", true}});
  CAF_REQUIRE(!wrong.has_value());
  CAF_CHECK_EQUAL(wrong.error().pointer, "/bad");
  const auto unknown = submit(json::object(), "unknown");
  CAF_REQUIRE(!unknown.has_value());
  CAF_CHECK(unknown.error().code == error_code::not_implemented);
}

CAF_TEST(no more wait than may wait and one that waits can be called off) {
  job_options options;
  options.waiting_max = 1;
  open(options);
  const auto first = submit();
  begin();
  const auto second = submit(), third = submit();
  CAF_REQUIRE(first && second);
  CAF_REQUIRE(!third.has_value());
  CAF_CHECK(third.error().code == error_code::overloaded);
  auto end = end_of(second->id);
  const auto off = call_off(second->id);
  CAF_REQUIRE(off.has_value());
  CAF_CHECK_EQUAL(off->status, "cancelled");
  CAF_REQUIRE(end.wait_for(patience) == std::future_status::ready);
  CAF_CHECK_EQUAL(find(second->id)->status, "cancelled");
}

CAF_TEST(one that runs is called off and ends) {
  const auto taken = submit();
  CAF_REQUIRE(taken.has_value());
  auto end = end_of(taken->id);
  begin();
  CAF_CHECK(call_off(taken->id).has_value());
  CAF_REQUIRE(end.wait_for(patience) == std::future_status::ready);
  CAF_CHECK_EQUAL(find(taken->id)->status, "cancelled");
}

CAF_TEST(what a stop or a death leaves is marked as interrupted) {
  const auto stopped = submit();
  begin();
  desk->stop();
  CAF_CHECK_EQUAL(find(stopped->id)->status, "interrupted");
  // As if the process had died: a row that says it runs, and nobody who runs it.
  storage::unit_of_work unit;
  unit.statements.push_back({"UPDATE job SET status = 'running', finished_at = NULL", {}});
  CAF_REQUIRE(stored->write_and_wait(std::move(unit)).has_value());
  open();
  const auto found = find(stopped->id);
  CAF_REQUIRE(found.has_value());
  CAF_CHECK_EQUAL(found->status, "interrupted");
  CAF_REQUIRE(found->failure.has_value());
  CAF_CHECK(found->failure->text().find("ask for it again") != std::string_view::npos);
}

CAF_TEST_FIXTURE_SCOPE_END()
