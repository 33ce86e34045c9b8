#include "http/routes/route_deps.hpp"

namespace tobit::http {

namespace {

const tenant_id folder_tenant{"default"}; ///< as `folder::definition_folder` has it

void look(const route_deps& deps, const exchange_ptr& ex, bool again) {
  // The folder belongs to one tenant; the others are told what they would be told if there were none.
  if (!deps.folder || ex->tenant() != folder_tenant)
    return ex->ok({{"enabled", false}, {"path", nullptr}, {"error", nullptr}, {"files", json::array()}});
  deps.folder(again, [ex, again](const json& view) { ex->guarded([&] { ex->answer(again ? 202 : 200, view); }); });
}

shape folder_shape() {
  return open_object(
      {required("enabled", flag()), required("path", anything()), required("error", anything()),
       required("files", list_of(open_object({required("path", text()),
                                              required("status", choice({"applied", "refused", "waiting"})),
                                              required("errors", list_of(open_object()))})))});
}

} // namespace

void add_rules_dir_routes(route_table& table, const route_deps& deps) {
  route view{.method = "GET", .path = "/cep/rules-dir", .operation = "get_rules_dir", .tag = "rules"};
  view.summary = "The watched folder: each file, whether it is applied, and what is wrong with it.";
  view.needs = access::permitted("cep:read", "rule");
  view.answers.type = folder_shape();
  view.handler = [deps](const exchange_ptr& ex) { look(deps, ex, false); };
  table.add(std::move(view));

  route again{.method = "POST", .path = "/cep/rules-dir/rescan", .operation = "rescan_rules_dir", .tag = "rules"};
  again.summary = "Applies all files again, also those that did not change, and takes an empty folder at its word.";
  again.notes = "Undoes what was changed past the files. Answers at once with the folder as it is.";
  again.needs = access::permitted("cep:update", "rule");
  again.answers.status = 202;
  again.answers.also = {200};
  again.answers.type = folder_shape();
  again.handler = [deps](const exchange_ptr& ex) { look(deps, ex, true); };
  table.add(std::move(again));
}

} // namespace tobit::http
