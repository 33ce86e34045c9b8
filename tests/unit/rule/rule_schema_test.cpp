#define CAF_SUITE rule_schema

#include "schemas/rule/rule_schema.hpp"
#include "tests/unit/rule/rule_table.hpp"

#include <caf/test/unit_test.hpp>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

using namespace tobit;
using namespace tobit::rule;

namespace {

class checker {
public:
  checker() {
    valijson::SchemaParser parser;
    parser.populateSchema(valijson::adapters::NlohmannJsonAdapter{rule_schema()}, schema_);
  }
  /// Empty if the rule fits.
  std::string complaint(const json& rule) {
    valijson::Validator validator;
    valijson::ValidationResults results;
    if (validator.validate(schema_, valijson::adapters::NlohmannJsonAdapter{rule}, &results)) return {};
    valijson::ValidationResults::Error e;
    std::string out = "refused";
    while (results.popError(e)) {
      out += "; ";
      for (const auto& step : e.context) out += step;
      out += " " + e.description;
    }
    return out;
  }

private:
  valijson::Schema schema_;
};

} // namespace

CAF_TEST(the schema accepts every good rule and its normalised form) {
  checker c;
  for (const auto& good : samples::good_rules()) {
    if (const auto why = c.complaint(good.body); !why.empty()) CAF_ERROR(good.name << ": " << why);
    const auto compiled = samples::compile(good.body);
    if (const auto why = c.complaint(compiled->definition); !why.empty())
      CAF_ERROR(good.name << ", normalised: " << why);
  }
  CAF_CHECK(!samples::good_rules().empty());
}

CAF_TEST(the schema refuses every bad rule except where it cannot know) {
  checker c;
  for (const auto& bad : samples::bad_rules()) {
    const bool refused = !c.complaint(bad.body).empty();
    if (!refused && !bad.beyond_schema) CAF_ERROR(bad.name << " is accepted by the schema");
    if (refused && bad.beyond_schema) CAF_ERROR(bad.name << " is refused by the schema after all");
  }
  CAF_CHECK(!samples::bad_rules().empty());
}

CAF_TEST(the schema names every operator and severity that the compile step knows) {
  for (const auto& op : rule_schema()["$defs"]["operator"]["enum"])
    if (op.is_string()) CAF_CHECK(parse_comparison_op(op.get<std::string>()).has_value());
  for (const auto& severity : rule_schema()["$defs"]["severity"]["enum"]) {
    auto rule = samples::hot();
    rule["severity"] = severity;
    CAF_CHECK(samples::compile(rule).has_value());
  }
}
