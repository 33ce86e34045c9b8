#include "http/routes/route_deps.hpp"
#include "runtime/entity/entity_listing.hpp"
#include "schemas/entity/entity_protocol.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <utility>

namespace tobit::http {

namespace {

constexpr int reason_length_max = 500;

/// How long other nodes may take to tell what is in their memories.
constexpr std::chrono::milliseconds memory_patience{1'000};

void show_page(const exchange_ptr& ex, const entity::entity_page& page, std::size_t limit,
               const std::vector<std::string>& silent) {
  json actors = json::array();
  for (const auto& one : page.items) actors.push_back(one);
  json about{{"limit", limit},
             {"returned", page.items.size()},
             {"next_cursor", page.next.empty() ? json(nullptr) : json(page.next)}};
  if (!silent.empty()) about["silent_nodes"] = silent;
  ex->ok({{"actors", std::move(actors)}}, about);
}

/// The rows first, then what the nodes have in memory of them; who does not answer in time is named. Where memory
/// decides what is listed, it is asked first.
void list_cluster(const route_deps& deps, const exchange_ptr& ex, const entity::listing_filter& wanted) {
  const auto call = ex->context().with_deadline(std::min(ex->deadline(), ex->steady_now() + memory_patience));
  using gathered = std::shared_ptr<const mesh::gathered_residents>;
  const bool memory_first = wanted.status == "active" || wanted.status == "sleeping";
  const auto list = [deps, ex, wanted](const gathered& seen) {
    auto page = entity::list_entities(*deps.store, wanted, seen.get());
    if (!page) ex->refuse(page.error());
    return page;
  };
  if (memory_first)
    return deps.cluster->residents(call, {}, [deps, ex, wanted, list](const gathered& seen) {
      const bool posted = deps.later->post([ex, wanted, list, seen] {
        ex->guarded([&] {
          if (auto page = list(seen)) show_page(ex, *page, wanted.limit, seen->silent);
        });
      });
      if (!posted) ex->refuse(error{error_code::overloaded});
    });
  auto page = list(nullptr);
  if (!page) return;
  std::vector<entity_ref> refs;
  for (const auto& one : page->items) refs.push_back(one.ref);
  if (refs.empty()) return show_page(ex, *page, wanted.limit, {});
  deps.cluster->residents(call, refs, [ex, wanted, page = *page](const gathered& seen) mutable {
    ex->guarded([&] {
      for (auto& one : page.items)
        if (const auto found = seen->resident(one.ref)) entity::show_residency(one, *found);
      show_page(ex, page, wanted.limit, seen->silent);
    });
  });
}

/// Reading the list waits for the database, so it has a thread of its own.
void list_actors(const route_deps& deps, const exchange_ptr& ex) {
  entity::listing_filter wanted;
  wanted.tenant = ex->tenant().value;
  wanted.kind = ex->text("kind");
  wanted.status = ex->text("status");
  wanted.q = ex->text("q");
  wanted.label = ex->text("label");
  wanted.sort = ex->text("sort");
  wanted.limit = static_cast<std::size_t>(ex->whole("limit"));
  wanted.cursor = ex->text("cursor");
  auto task = [deps, ex, wanted = std::move(wanted)] {
    ex->guarded([&] {
      if (deps.cluster) return list_cluster(deps, ex, wanted);
      auto page = entity::list_entities(*deps.store, wanted, deps.residents);
      if (!page) return ex->refuse(page.error());
      show_page(ex, *page, wanted.limit, {});
    });
  };
  if (!deps.later->post(std::move(task))) ex->refuse(error{error_code::overloaded});
}

entity_ref actor_ref(const exchange& ex) { return {ex.text("kind"), ex.tenant(), ex.text("key")}; }

void inspect(const route_deps& deps, const exchange_ptr& ex) {
  deps.entities->ask(
      actor_ref(*ex), ex->context(), message::of(entity::inspect_entity{}), ex->then([ex](const message& answer) {
        const auto* seen = answer.as<entity::entity_view>();
        if (!seen) return ex->refuse(error{error_code::internal_server_error});
        ex->ok({{"actor", seen->view}, {"restart_history", seen->view.value("restart_history", json::array())}});
      }));
}

void control(const route_deps& deps, const exchange_ptr& ex, const char* action) {
  entity::control_entity wish;
  wish.action = action;
  wish.reason = ex->body().value("reason", "");
  deps.entities->ask(
      actor_ref(*ex), ex->context(), message::of(std::move(wish)), ex->then([ex, action](const message&) {
        ex->ok({{"kind", ex->text("kind")}, {"key", ex->text("key")}, {"action", action}, {"done", true}});
      }));
}

} // namespace

void add_actor_routes(route_table& table, const route_deps& deps) {
  const std::vector<parameter> one{in_path("kind", text(1, 64)), in_path("key", text(1, entity_key_length_max))};
  table.add({.method = "GET",
             .path = "/actors",
             .operation = "list_actors",
             .tag = "actors",
             .summary = "Every entity with its version, status and restarts.",
             .needs = access::permitted("cep:read", "actor"),
             .parameters = {in_query("kind", text(0, 64)),
                            in_query("status", choice({"active", "sleeping", "quarantined", "disabled", "deleted"})),
                            in_query("label", text(0, 100).described("A rule's trigger type.")),
                            in_query("q", text(0, 200).described("Part of the name or key.")),
                            in_query("sort", choice({"updated", "name", "created", "restarts"}).or_else("updated")),
                            in_query("limit", whole(1, 500).or_else(50)),
                            in_query("cursor", text(1, 2'000).described("`next_cursor` of the page before."))},
             .answers = {.type = object(
                             {required("actors", list_of(open_object({required("kind", text()), required("key", text()),
                                                                      required("status", text())})))})},
             .handler = [deps](const exchange_ptr& ex) { list_actors(deps, ex); }});
  table.add({.method = "GET",
             .path = "/actors/{kind}/{key}",
             .operation = "inspect_actor",
             .tag = "actors",
             .summary = "One actor from inside: state, mailbox, counts, latency, timers, restarts.",
             .needs = access::permitted("cep:read", "actor"),
             .parameters = one,
             .answers = {.type = object(
                             {required("actor", open_object()), required("restart_history", list_of(open_object()))})},
             .errors = {error_code::not_found},
             .handler = [deps](const exchange_ptr& ex) { inspect(deps, ex); }});
  struct act {
    const char *name, *summary;
  };
  static constexpr std::array<act, 5> acts{{{"restart", "Starts an actor anew from what is stored."},
                                            {"stop", "Puts an actor to sleep; the next message wakes it."},
                                            {"revive", "Lets a quarantined actor work again."},
                                            {"reload", "Loads an actor's definition again."},
                                            {"quarantine", "Sets an actor aside until somebody revives it."}}};
  for (const auto& a : acts)
    table.add({.method = "POST",
               .path = std::string("/actors/{kind}/{key}/") + a.name,
               .operation = std::string(a.name) + "_actor",
               .tag = "actors",
               .summary = a.summary,
               .needs = access::at_least(role::manager),
               .parameters = one,
               .body = body_rule{.type = object(
                                     {optional("reason", text(0, reason_length_max).described("For the audit log."))}),
                                 .required = false,
                                 .bytes_max = 8u << 10},
               .answers = {.type = object({required("kind", text()), required("key", text()),
                                           required("action", text()), required("done", flag())})},
               .errors = {error_code::not_found, error_code::conflict},
               .handler = [deps, name = a.name](const exchange_ptr& ex) { control(deps, ex, name); }});
}

} // namespace tobit::http
