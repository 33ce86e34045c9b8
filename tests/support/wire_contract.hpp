#pragma once

#include "schemas/message.hpp"

#include <caf/test/unit_test.hpp>

#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

/// What holds the messages of one context to the wire contract. Include it after CAF_SUITE is defined.
namespace tobit::testing {

/// The samples, one of each message with a value in every field, are what the golden file says.
inline void check_golden(const std::vector<message>& samples, const std::string& file) {
  auto now = json::object();
  for (const auto& m : samples) now[std::string(m.name())] = m.encode();
  std::stringstream golden;
  golden << std::ifstream{file}.rdbuf();
  const auto text = now.dump(2) + "\n";
  if (golden.str() != text) CAF_MESSAGE("a released message is frozen; only new ones join the golden file:\n" << text);
  CAF_CHECK(golden.str() == text);
}

/// Every registered message whose name begins so has a sample, and each sample comes back as it was sent.
inline void check_way_over_the_wire(const std::vector<message>& samples, std::string_view prefix) {
  std::size_t known = 0;
  for (const auto* type : registered_message_types()) known += type->name.starts_with(prefix);
  CAF_CHECK_EQUAL(known, samples.size());
  for (const auto& m : samples) {
    const auto again = decode_message(m.name(), *parse_json(to_text(m.encode())));
    if (!again) CAF_FAIL(m.name() << ": " << again.error().message);
    CAF_CHECK_EQUAL(to_text(again->encode()), to_text(m.encode()));
  }
}

} // namespace tobit::testing
