#define CAF_SUITE file_content

#include "actors/folder/file_content.hpp"
#include "actors/rule/rule_kind.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;
using namespace tobit::folder;

namespace {

const std::string written_rule = "rule_name: one\ntrigger_type: event\ntrigger_spec: {types: [a]}\n";

struct fixture {
  rule::rule_kind rules{{}};
  entity::kind_registry kinds;
  fixture() { kinds.add(rules); }

  file_content read(const std::string& text, const std::string& name = "f.yaml") {
    return read_file(text, name, kinds, tenant_id{"default"});
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(file_content_tests, fixture)

CAF_TEST(a definition is complete and knows its kind and name) {
  const auto content =
      read(written_rule + "---\nkind: rule\nrule_id: 01939f4e-5c1d-7c3a-9f0e-1b2a3c4d5e6f\n" + written_rule);
  CAF_REQUIRE_EQUAL(content.definitions.size(), 2u);
  const auto& one = content.definitions[0];
  CAF_CHECK_EQUAL(one.kind, "rule");
  CAF_CHECK_EQUAL(one.name, "one");
  CAF_CHECK(one.key.empty());
  CAF_CHECK_EQUAL(one.body["severity"], "info"); // what the file leaves out
  CAF_CHECK(!one.body.contains("kind"));
  CAF_CHECK_EQUAL(content.definitions[1].key, "01939f4e-5c1d-7c3a-9f0e-1b2a3c4d5e6f");
}

CAF_TEST(every flaw is told with its place and pointer) {
  const auto content =
      read(written_rule + "---\nrule_name: two\ntrigger_type: event\ntrigger_spec:\n  field: a\n  op: near\n  "
                          "value: 1\n---\nkind: dragon\n");
  CAF_REQUIRE_EQUAL(content.flaws.size(), 2u);
  CAF_CHECK_EQUAL(content.flaws[0].place, "f.yaml:9:3");
  CAF_CHECK_EQUAL(content.flaws[0].pointer, "/trigger_spec/op");
  CAF_CHECK_EQUAL(content.flaws[1].place, "f.yaml:12:1");
  CAF_CHECK_EQUAL(content.flaws[1].pointer, "/kind");
}

CAF_TEST(what is no YAML has a place too) {
  const auto content = read("rule_name: x\n  trigger_type: [event\n");
  CAF_REQUIRE_EQUAL(content.flaws.size(), 1u);
  CAF_CHECK(content.flaws[0].place.starts_with("f.yaml:2:"));
  CAF_CHECK(content.flaws[0].message.starts_with("is not valid YAML"));
}

CAF_TEST(JSON has places too and an empty file defines nothing) {
  const auto content = read("[{\"rule_name\": \"x\",\n  \"trigger_type\": \"event\", \"trigger_spec\": 7}]", "f.json");
  CAF_REQUIRE_EQUAL(content.flaws.size(), 1u);
  CAF_CHECK_EQUAL(content.flaws[0].place, "f.json:2:28");
  CAF_CHECK(read(" \n\n").flaws.empty());
  CAF_CHECK(read("# nothing yet\n").definitions.empty());
}

CAF_TEST(a name twice in a file is refused) {
  CAF_CHECK_EQUAL(read(written_rule + "---\n" + written_rule).flaws.size(), 1u);
}

CAF_TEST(what is no definition ends with a flaw) {
  for (const auto* text : {"a: [", "7", "- 7", "\"text\"", "{", "a: b: c", "kind: 7", "&a [*a]", "\x01", "? [x]\n: y"})
    CAF_CHECK(!read(text).flaws.empty());
}

CAF_TEST(the id of a name is a UUID and always the same) {
  const auto id = key_for_name("rule", tenant_id{"default"}, "one");
  CAF_CHECK_EQUAL(id.size(), 36u);
  CAF_CHECK_EQUAL(id[14], '8');
  CAF_CHECK_EQUAL(id, key_for_name("rule", tenant_id{"default"}, "one"));
  CAF_CHECK_NOT_EQUAL(id, key_for_name("rule", tenant_id{"other"}, "one"));
  CAF_CHECK_NOT_EQUAL(id, key_for_name("channel", tenant_id{"default"}, "one"));
}

CAF_TEST_FIXTURE_SCOPE_END()
