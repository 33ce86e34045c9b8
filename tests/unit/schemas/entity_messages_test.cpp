#define CAF_SUITE entity_messages

#include "schemas/entity/entity_protocol.hpp"

#include <caf/test/unit_test.hpp>

#include <fstream>
#include <sstream>

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
  auto now = json::object();
  for (const auto& m : samples()) now[std::string(m.name())] = m.encode();
  std::stringstream golden;
  golden << std::ifstream{TOBIT_GOLDEN "/entity_messages.json"}.rdbuf();
  const auto text = now.dump(2) + "\n";
  if (golden.str() != text) CAF_MESSAGE("a released message is frozen; only new ones join the golden file:\n" << text);
  CAF_CHECK(golden.str() == text);
}

CAF_TEST(every message of an entity survives the way over the wire) {
  register_entity_messages();
  std::size_t known = 0;
  for (const auto* type : registered_message_types()) known += type->name.starts_with("tobit.entity.");
  CAF_CHECK_EQUAL(known, samples().size());
  for (const auto& m : samples()) {
    const auto again = decode_message(m.name(), *parse_json(to_text(m.encode())));
    CAF_REQUIRE(again.has_value());
    CAF_CHECK_EQUAL(to_text(again->encode()), to_text(m.encode()));
  }
}

CAF_TEST(an unknown or malformed message is refused with its name) {
  register_entity_messages();
  const auto newer = decode_message("tobit.entity.define.v9", json::object());
  CAF_CHECK(newer.error().code == error_code::not_implemented);
  CAF_CHECK(newer.error().message.find("tobit.entity.define.v9") != std::string::npos);
  CAF_CHECK(decode_message("tobit.entity.rollback.v1", {{"version", "two"}}).error().code ==
            error_code::validation_error);
}
