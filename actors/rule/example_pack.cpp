#include "actors/rule/example_pack.hpp"

#include "config/examples/example_rules.hpp"
#include "schemas/entity/entity_protocol.hpp"
#include "schemas/rule/rule_protocol.hpp"

namespace tobit::rule {

result<pack_loaded> load_example_pack(entity::entity_gateway& entities, const call_context& context, steady_time now) {
  pack_loaded report;
  for (const auto& example : config::example_rules()) {
    entity_ref ref{std::string(kind_name), context.tenant(), example.rule_id};
    entity::define_entity define{example.body, "create", 0, "example pack"};
    const auto made = entities.ask_and_wait<entity::definition_live>(std::move(ref), context.child(),
                                                                     message::of(std::move(define)), now);
    if (made)
      ++report.created;
    else if (made.error().code == error_code::conflict)
      ++report.present;
    else
      return fail(made.error().code, "Example rule '" + example.name + "': " + std::string(made.error().text()),
                  made.error().pointer);
  }
  return report;
}

} // namespace tobit::rule
