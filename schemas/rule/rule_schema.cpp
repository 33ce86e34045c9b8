#include "schemas/rule/rule_schema.hpp"

namespace tobit::rule {

const json& rule_schema() {
  static const json schema = json::parse(rule_schema_files().front().second);
  return schema;
}

} // namespace tobit::rule
