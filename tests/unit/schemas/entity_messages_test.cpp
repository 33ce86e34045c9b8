#define CAF_SUITE entity_messages

#include "schemas/entity/entity_protocol.hpp"
#include "tests/support/wire_contract.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;
using namespace tobit::entity;

namespace {

/// One sample of each message, with a value in every field.
std::vector<message> samples() {
  return {
      message::of(define_entity{{{"rule_name", "a"}}, "create", 0, "first"}),
      message::of(definition_live{3, {{"rule_name", "a"}}}),
      message::of(rollback_entity{2, "back"}),
      message::of(delete_entity{4}),
      message::of(control_entity{"restart", "hangs"}),
      message::of(entity_done{}),
      message::of(wake_entity{}),
      message::of(effect_settled{"e-1", "webhook", "x-1", false, "external_service_error", "no answer", {{"a", 1}}, 8}),
      message::of(inspect_entity{}),
      message::of(entity_view{{{"status", "active"}}})};
}

} // namespace

CAF_TEST(the messages of every entity look on the wire as they always did) {
  testing::check_golden(samples(), TOBIT_GOLDEN "/entity_messages.json");
}

CAF_TEST(every message of an entity survives the way over the wire) {
  register_entity_messages();
  testing::check_way_over_the_wire(samples(), "tobit.entity.");
}

CAF_TEST(an unknown or malformed message is refused with its name) {
  register_entity_messages();
  const auto newer = decode_message("tobit.entity.define.v9", json::object());
  CAF_CHECK(newer.error().code == error_code::not_implemented);
  CAF_CHECK(newer.error().message.find("tobit.entity.define.v9") != std::string::npos);
  CAF_CHECK(decode_message("tobit.entity.rollback.v1", {{"version", "two"}}).error().code ==
            error_code::validation_error);
}
