#include "http/codec/envelope.hpp"
#include "http/routes/channel_answer.hpp"
#include "http/routes/file_ownership.hpp"
#include "http/routes/paging.hpp"
#include "http/routes/route_deps.hpp"
#include "http/routes/rule_answer.hpp"
#include "schemas/channel/channel_fields.hpp"
#include "schemas/channel/channel_protocol.hpp"

namespace tobit::http {

using namespace storage;

namespace {

constexpr int conflict_retries_max = 5;
constexpr auto unknown_channel = "There is no such channel.";

std::vector<std::string> type_names() {
  std::vector<std::string> out;
  for (const auto& type : channel::channel_types()) out.emplace_back(type.name);
  return out;
}

void list_channels(const route_deps& deps, const exchange_ptr& ex) {
  auto place = read_place(*ex);
  if (!place) return ex->refuse(place.error());
  deps.store->read(
      {"SELECT " TOBIT_CHANNEL_COLUMNS TOBIT_CHANNEL_TABLES
       " WHERE e.kind = 'channel' AND e.tenant = $1 AND e.deleted_at IS NULL"
       " AND (e.updated_at, e.entity_key) < (CAST($2 AS BIGINT), CAST($3 AS TEXT))"
       " AND (CAST($4 AS TEXT) = '' OR e.label = $4) AND (CAST($5 AS BIGINT) < 0 OR e.enabled = $5)"
       " AND LOWER(e.name) LIKE $6 ESCAPE '\\'"
       " ORDER BY e.updated_at DESC, e.entity_key DESC LIMIT CAST($7 AS BIGINT) OFFSET CAST($8 AS BIGINT)",
       {ex->tenant().value, place->before_us, place->before_key, ex->text("type"), ex->whole("is_active", -1),
        like_pattern(ex->text("q")), place->limit, place->offset}},
      ex->then([ex, place = *place](const rows& found) {
        json channels = json::array();
        for (const auto& row : found.values) channels.push_back(channel_of_row(ex->tenant(), row));
        const auto last = found.empty() ? std::pair<std::int64_t, std::string>{}
                                        : std::pair{as_int(found.values.back()[4]), as_text(found.values.back()[0])};
        ex->ok({{"channels", std::move(channels)}}, page_metadata(place, found.size(), last.first, last.second));
      }));
}

void with_row(const route_deps& deps, const exchange_ptr& ex, std::function<void(const std::vector<value>&)> go_on) {
  deps.store->read({"SELECT " TOBIT_CHANNEL_COLUMNS TOBIT_CHANNEL_TABLES
                    " WHERE e.kind = 'channel' AND e.tenant = $1 AND e.entity_key = $2 AND e.deleted_at IS NULL",
                    {ex->tenant().value, ex->text("channel_id")}},
                   ex->then([ex, go_on = std::move(go_on)](const rows& found) {
                     if (found.empty()) return ex->refuse({error_code::not_found, unknown_channel});
                     go_on(found[0]);
                   }));
}

void answer_change(const exchange_ptr& ex, int status, const entity_ref& ref, const message& answer) {
  const auto* live = answer.as<entity::definition_live>();
  if (!live) return ex->refuse(error{error_code::internal_server_error});
  header_list further{{"ETag", '"' + std::to_string(live->version) + '"'}};
  if (status == 201) further.emplace_back("Location", "/cep/channels/" + ref.key);
  ex->answer(status, {{"channel", channel_of_change(ref, *live)}}, nullptr, std::move(further));
}

void create_channel(const route_deps& deps, const exchange_ptr& ex) {
  auto& body = ex->body();
  entity_ref ref{std::string(channel::kind_name), ex->tenant(), new_uuid()};
  if (const auto given = body.find("channel_id"); given != body.end() && given->is_string())
    ref.key = given->get<std::string>();
  if (ref.key.empty() || ref.key.size() > 100)
    return ex->refuse(
        {error_code::validation_error, "A channel_id is 1 to 100 letters, digits, '.', '_' or '-'.", "/channel_id"});
  entity::define_entity wish;
  wish.body = std::move(body);
  wish.change = "create";
  wish.expected_version = 0;
  deps.entities->ask(ref, ex->context(), message::of(std::move(wish)),
                     ex->then([ex, ref](const message& answer) { answer_change(ex, 201, ref, answer); }));
}

/// Somebody else's change in between is no conflict unless the caller named a version.
void change_channel(const route_deps& deps, const exchange_ptr& ex, const entity::define_entity& wish,
                    int tries_left = conflict_retries_max) {
  with_row(deps, ex, [deps, ex, wish, tries_left](const std::vector<value>& row) {
    auto versioned = wish;
    if (!versioned.expected_version) versioned.expected_version = as_int(row[1]);
    const auto ref = channel_ref(*ex);
    deps.entities->ask(ref, ex->context(), message::of(versioned),
                       [deps, ex, ref, wish, tries_left](const result<message>& answer) {
                         const bool again = !answer && answer.error().code == error_code::conflict &&
                                            !wish.expected_version && tries_left > 0;
                         ex->guarded([&] {
                           if (again)
                             change_channel(deps, ex, wish, tries_left - 1);
                           else if (!answer)
                             ex->refuse(answer.error());
                           else
                             answer_change(ex, 200, ref, *answer);
                         });
                       });
  });
}

void update_channel(const route_deps& deps, const exchange_ptr& ex) {
  auto expected = expected_version(*ex);
  if (!expected) return ex->refuse(expected.error());
  entity::define_entity wish;
  wish.body = std::move(ex->body());
  wish.expected_version = *expected;
  unless_file_owns(deps, ex, channel_ref(*ex), "channel", [deps, ex, wish] { change_channel(deps, ex, wish); });
}

void delete_channel(const route_deps& deps, const exchange_ptr& ex) {
  auto expected = expected_version(*ex);
  if (!expected) return ex->refuse(expected.error());
  const auto remove = [deps, ex, expected = *expected](const std::vector<value>&) {
    entity::delete_entity wish;
    wish.expected_version = expected;
    deps.entities->ask(channel_ref(*ex), ex->context(), message::of(wish), ex->then([ex](const message&) {
      ex->ok({{"channel_id", ex->text("channel_id")}, {"deleted", true}});
    }));
  };
  unless_file_owns(deps, ex, channel_ref(*ex), "channel", [deps, ex, remove] { with_row(deps, ex, remove); });
}

shape definition_shape() {
  auto s = open_object({required("name", text(1, 200)), required("type", choice(type_names())),
                        required("config", open_object()), optional("channel_id", text(1, 100))});
  s.about = "GET /cep/channels/types says what 'config' holds; docs/channels.md explains it.";
  return s;
}

} // namespace

void add_channel_routes(route_table& table, const route_deps& deps) {
  auto list = channel_route("GET", "/cep/channels", "list_channels", "The channels, latest change first.", "cep:read",
                            [deps](const exchange_ptr& ex) { list_channels(deps, ex); });
  list.parameters = paging_parameters(100, 500);
  list.parameters.push_back(in_query("type", choice(type_names())));
  list.parameters.push_back(in_query("is_active", flag()));
  list.parameters.push_back(in_query("q", text(0, 200).described("Part of the name.")));
  list.answers.type = object({required("channels", list_of(channel_shape()))});
  table.add(std::move(list));

  auto create = channel_route("POST", "/cep/channels", "create_channel", "Adds a channel.", "cep:create",
                              [deps](const exchange_ptr& ex) { create_channel(deps, ex); });
  create.notes = "Secrets are references: `env:NAME` or `file:/path`. `channel_id` may be chosen; rules name it.";
  create.body = body_rule{.type = definition_shape()};
  create.answers.status = 201;
  create.errors = {error_code::conflict, error_code::address_refused};
  table.add(std::move(create));

  table.add(channel_route("GET", "/cep/channels/{channel_id}", "get_channel", "One channel, its version as ETag.",
                          "cep:read", [deps](const exchange_ptr& ex) {
                            with_row(deps, ex, [ex](const std::vector<value>& row) {
                              ex->answer(200, {{"channel", channel_of_row(ex->tenant(), row)}}, nullptr,
                                         {{"ETag", '"' + std::to_string(as_int(row[1])) + '"'}});
                            });
                          }));
  auto update = channel_route("PUT", "/cep/channels/{channel_id}", "update_channel",
                              "Changes the fields that are sent and puts the result live as a new version.",
                              "cep:update", [deps](const exchange_ptr& ex) { update_channel(deps, ex); });
  update.notes = "config, rate_limit and templates are replaced as a whole. What is on its way goes out as it was.";
  update.body = body_rule{.type = open_object()};
  for (auto& p : version_parameters()) update.parameters.push_back(std::move(p));
  update.parameters.push_back(force_parameter());
  update.errors = {error_code::not_found, error_code::conflict, error_code::address_refused};
  table.add(std::move(update));

  auto remove = channel_route("DELETE", "/cep/channels/{channel_id}", "delete_channel",
                              "Removes a channel; what it sent stays on record.", "cep:delete",
                              [deps](const exchange_ptr& ex) { delete_channel(deps, ex); });
  for (auto& p : version_parameters()) remove.parameters.push_back(std::move(p));
  remove.parameters.push_back(force_parameter());
  remove.answers.type = object({required("channel_id", text()), required("deleted", flag())});
  remove.errors = {error_code::not_found, error_code::conflict};
  table.add(std::move(remove));

  auto types =
      channel_route("GET", "/cep/channels/types", "list_channel_types",
                    "The types of channels and the fields of their config.", "cep:read", [](const exchange_ptr& ex) {
                      ex->ok({{"types", channel::describe_channel_types()}});
                    });
  types.answers.type = object({required("types", list_of(open_object({required("type", text())})))});
  table.add(std::move(types));
}

} // namespace tobit::http
