// The life of an entity, from its definition to its passivation. Included once per database; TOBIT_TESTED_KIND names
// it.
#include "tests/support/entity_fixture.hpp"

using namespace tobit;
using namespace tobit::testing;
using counter::add_to_counter;
using counter::get_count;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {
struct fixture : entity_fixture<TOBIT_TESTED_KIND> {
  fixture() {
    options.idle_after = seconds{60};
    options.sweep_every = seconds{5};
    start();
  }
};
} // namespace

CAF_TEST_FIXTURE_SCOPE(entity_life, fixture)

CAF_TEST(a defined entity counts and answers after the commit) {
  auto live = define({{"name", "first"}, {"step", 2}});
  CAF_REQUIRE(live.has_value());
  CAF_CHECK_EQUAL(live->as<entity::definition_live>()->version, 1);
  CAF_CHECK_EQUAL(live->as<entity::definition_live>()->definition["step"], 2);
  CAF_CHECK_EQUAL(live->as<entity::definition_live>()->definition["created_by"], "ann");
  auto slot = send(ref(), message::of(add_to_counter{3}));
  consume_messages();
  CAF_CHECK(!slot->has_value());
  settle();
  CAF_REQUIRE(slot->has_value());
  CAF_CHECK_EQUAL(count(**slot), 6);
  CAF_CHECK_EQUAL(rows("SELECT COUNT(*) FROM journal"), 1);
}

CAF_TEST(an entity without a definition is not found and leaves nothing in memory) {
  CAF_CHECK_EQUAL(code(ask(ref("nobody"), message::of(get_count{}))), error_code::not_found);
  CAF_CHECK(node->residents().empty());
}

CAF_TEST(messages that arrive while the entity loads are handled in their order) {
  define();
  CAF_CHECK(control("stop").has_value());
  settle();
  CAF_CHECK(node->residents().empty());
  std::vector<answer_slot> slots;
  for (int i = 1; i <= 5; ++i) slots.push_back(send(ref(), message::of(add_to_counter{1})));
  settle();
  for (int i = 0; i < 5; ++i) {
    CAF_REQUIRE(slots[static_cast<std::size_t>(i)]->has_value());
    CAF_CHECK_EQUAL(count(**slots[static_cast<std::size_t>(i)]), i + 1);
  }
}

CAF_TEST(what was acknowledged is there after a death of the process) {
  define({{"step", 5}});
  add(1);
  add(2);
  kill();
  start();
  CAF_CHECK_EQUAL(get(), 15);
}

CAF_TEST(what was not committed when the process died was not acknowledged) {
  define();
  add(1);
  auto slot = send(ref(), message::of(add_to_counter{100}));
  consume_messages(); // decided, not committed
  kill();
  CAF_CHECK(!slot->has_value() || !(*slot)->has_value());
  start();
  CAF_CHECK_EQUAL(get(), 1);
}

CAF_TEST(snapshots shorten the journal while the entity works) {
  stop();
  options.snapshot_every = 3;
  start();
  define();
  for (int i = 0; i < 10; ++i) add();
  CAF_CHECK_LESS(rows("SELECT COUNT(*) FROM journal"), 3);
  kill();
  start();
  CAF_CHECK_EQUAL(get(), 10);
}

CAF_TEST(the row that every decision changes does not hold the state) {
  define();
  add(7);
  stop();
  start();
  CAF_CHECK_EQUAL(rows("SELECT COUNT(*) FROM entity_snapshot WHERE LENGTH(state) > 0"), 1);
  CAF_CHECK_EQUAL(get(), 7);
}

CAF_TEST(an idle entity stores its state and leaves memory) {
  define();
  add(7);
  CAF_CHECK_EQUAL(node->residents().size(), 1u);
  for (int i = 0; i < 14; ++i) pass(seconds{5});
  CAF_CHECK(node->residents().empty());
  CAF_CHECK_EQUAL(rows("SELECT COUNT(*) FROM journal"), 0);
  CAF_CHECK_EQUAL(get(), 7);
}

CAF_TEST(a busy entity stays in memory) {
  define();
  for (int i = 0; i < 30; ++i) {
    pass(seconds{5});
    get();
  }
  CAF_CHECK_EQUAL(node->residents().size(), 1u);
}

CAF_TEST(a message that arrives while its entity leaves is handled by the next one) {
  define();
  add(7);
  auto stopped = send(ref(), message::of(entity::control_entity{"stop", ""}));
  consume_messages();
  while (!stopped->has_value()) {
    CAF_REQUIRE(db->step());
    consume_messages();
  }
  CAF_CHECK((*stopped)->has_value());
  auto late = send(ref(), message::of(add_to_counter{1})); // the snapshot of the leaving actor is still being written
  auto later = send(ref(), message::of(add_to_counter{1}));
  settle();
  CAF_REQUIRE(late->has_value() && later->has_value());
  CAF_CHECK_EQUAL(count(**late), 8);
  CAF_CHECK_EQUAL(count(**later), 9);
}

CAF_TEST(an answer waits for earlier decisions that it may have seen) {
  define();
  auto first = send(ref(), message::of(add_to_counter{1}));
  auto read = send(ref(), message::of(get_count{}));
  consume_messages();
  CAF_CHECK(!read->has_value());
  settle();
  CAF_CHECK_EQUAL(count(**read), 1);
}

CAF_TEST(a lost commit takes everything with it that was built on it) {
  define();
  add(1);
  db->fail_writes(1, error{error_code::database_error});
  auto first = send(ref(), message::of(add_to_counter{10}));
  auto second = send(ref(), message::of(add_to_counter{100}));
  auto third = send(ref(), message::of(get_count{}));
  settle();
  CAF_CHECK_EQUAL(code(first), error_code::database_error);
  CAF_CHECK_EQUAL(code(second), error_code::unavailable);
  CAF_CHECK_EQUAL(code(third), error_code::unavailable);
  CAF_CHECK_EQUAL(get(), 1);
  CAF_CHECK_EQUAL(inspect().value("restarts", -1), 0);
}

CAF_TEST(a row that breaks a constraint fails its decision alone) {
  define();
  add(1);
  CAF_CHECK_EQUAL(code(ask(ref(), message::of(counter::trouble_counter{"row"}))), error_code::conflict);
  CAF_CHECK_EQUAL(get(), 1);
  CAF_CHECK_EQUAL(add(1), 2);
}

CAF_TEST(a node that lost the shard cannot store anything any more) {
  define();
  add(1);
  CAF_REQUIRE(stored->write_and_wait({{{"UPDATE shard SET epoch = epoch + 1, owner = 'other'"}}, 0}).has_value());
  CAF_CHECK_EQUAL(code(ask(ref(), message::of(add_to_counter{1}))), error_code::fenced);
  CAF_CHECK_EQUAL(code(ask(ref(), message::of(add_to_counter{1}))), error_code::unavailable);
  stop();
  start();
  CAF_CHECK_EQUAL(get(), 1);
}

CAF_TEST(an entity whose rows cannot be read answers that and tries again later) {
  define();
  control("stop");
  db->fail_reads(1, error{error_code::database_error});
  CAF_CHECK_EQUAL(code(ask(ref(), message::of(get_count{}))), error_code::database_error);
  CAF_CHECK_EQUAL(get(), 0);
}

CAF_TEST(too many waiting messages are refused and the others still answered) {
  stop();
  options.mailbox_max = 10;
  start();
  define();
  std::vector<answer_slot> slots;
  for (int i = 0; i < 12; ++i) slots.push_back(send(ref(), message::of(add_to_counter{1})));
  CAF_CHECK_EQUAL(code(slots[10]), error_code::overloaded);
  CAF_CHECK_EQUAL(code(slots[11]), error_code::overloaded);
  settle();
  CAF_CHECK_EQUAL(count(**slots[9]), 10);
  CAF_CHECK_EQUAL(add(), 11);
}

CAF_TEST(a message whose deadline has passed is not decided) {
  define();
  auto late = send(ref(), message::of(add_to_counter{1}), context(milliseconds{-1}));
  settle();
  CAF_CHECK_EQUAL(code(late), error_code::deadline_exceeded);
  CAF_CHECK_EQUAL(get(), 0);
}

CAF_TEST(a message that waits for a loading entity is answered at its deadline) {
  define();
  control("stop");
  auto slot = send(ref(), message::of(get_count{}), context(milliseconds{250}));
  consume_messages(); // the rows are asked for and do not come
  advance_time(milliseconds{150});
  consume_messages();
  CAF_CHECK(!slot->has_value());
  for (int i = 0; i < 2; ++i) {
    advance_time(milliseconds{100});
    consume_messages();
  }
  CAF_CHECK_EQUAL(code(slot), error_code::deadline_exceeded);
}

CAF_TEST(stopping the node stores every entity and leaves no asker without an answer) {
  define();
  add(3);
  auto slot = send(ref(), message::of(add_to_counter{1}));
  stop();
  CAF_REQUIRE(slot->has_value());
  CAF_CHECK_EQUAL(rows("SELECT COUNT(*) FROM journal"), 0);
  start();
  CAF_CHECK_EQUAL(get(), slot->value().has_value() ? 4 : 3);
}

CAF_TEST(malformed names are refused) {
  CAF_CHECK_EQUAL(code(ask({"nonsense", tenant, "a"}, message::of(get_count{}))), error_code::not_found);
  CAF_CHECK_EQUAL(code(ask(ref(""), message::of(get_count{}))), error_code::validation_error);
  CAF_CHECK_EQUAL(code(ask(ref(std::string(201, 'x')), message::of(get_count{}))), error_code::validation_error);
  CAF_CHECK_EQUAL(code(ask(ref("a\nb"), message::of(get_count{}))), error_code::validation_error);
}

CAF_TEST_FIXTURE_SCOPE_END()
