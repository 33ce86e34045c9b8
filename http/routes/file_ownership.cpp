#include "http/routes/file_ownership.hpp"

#include "http/routes/route_deps.hpp"

namespace tobit::http {

using namespace storage;

parameter force_parameter() {
  return in_query("force", flag().described("Change what a file of rules_dir defines all the same; the file's next "
                                            "change overwrites it."));
}

void unless_file_owns(const route_deps& deps, const exchange_ptr& ex, const entity_ref& ref, std::string_view what,
                      std::function<void()> go_on) {
  const auto* force = ex->value("force");
  if (!deps.folder || (force && force->is_boolean() && force->get<bool>())) return go_on();
  deps.store->read({"SELECT path FROM definition_owner WHERE tenant = $1 AND kind = $2 AND entity_key = $3",
                    {ref.tenant.value, ref.kind, ref.key}},
                   ex->then([ex, what = std::string(what), go_on = std::move(go_on)](const rows& found) {
                     if (found.empty()) return go_on();
                     const auto& file = as_text(found[0][0]);
                     ex->refuse({error_code::conflict, "The file " + file + " of rules_dir defines this " + what +
                                                           "; change it there, or send ?force=true."},
                                {{"file", file}});
                   }));
}

} // namespace tobit::http
