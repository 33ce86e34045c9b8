#define CAF_SUITE ids

#include "schemas/ids.hpp"

#include <caf/test/unit_test.hpp>

#include <set>

using namespace tobit;

CAF_TEST(the hash of an entity never changes because rows depend on it) {
  CAF_CHECK_EQUAL(stable_hash({"rule", tenant_id{"default"}, "a"}), stable_hash({"rule", tenant_id{"default"}, "a"}));
  CAF_CHECK_NOT_EQUAL(stable_hash({"rule", tenant_id{"ab"}, "c"}), stable_hash({"rule", tenant_id{"a"}, "bc"}));
  CAF_CHECK_EQUAL(stable_hash({"counter", tenant_id{"t"}, "k"}), 4552405248521460440ull);
}

CAF_TEST(trace ids are read with and without hyphens) {
  const auto id = parse_trace_id("4bf92f3577b34da6a3ce929d0e0e4736");
  CAF_REQUIRE(id.has_value());
  CAF_CHECK_EQUAL(to_string(*id), "4bf92f3577b34da6a3ce929d0e0e4736");
  CAF_CHECK(parse_trace_id("4bf92f35-77b3-4da6-a3ce-929d0e0e4736") == id);
  for (auto text : {"", "0", "00000000000000000000000000000000", "4bf92f3577b34da6a3ce929d0e0e473g",
                    "4bf92f3577b34da6a3ce929d0e0e47360"})
    CAF_CHECK(!parse_trace_id(text));
}

CAF_TEST(new ids differ and are well formed) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const auto id = new_uuid();
    CAF_CHECK_EQUAL(id.size(), 36u);
    CAF_CHECK_EQUAL(id[14], '7');
    CAF_CHECK(seen.insert(id).second);
  }
}
