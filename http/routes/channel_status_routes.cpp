#include "http/codec/envelope.hpp"
#include "http/routes/channel_answer.hpp"
#include "http/routes/route_deps.hpp"
#include "runtime/notice/channel_tester.hpp"
#include "schemas/channel/channel_fields.hpp"
#include "schemas/channel/channel_protocol.hpp"

#include <map>

namespace tobit::http {

using namespace storage;

namespace {

constexpr std::chrono::hours status_period{24};
/// Longer than the usual time of an attempt by mail.
constexpr std::chrono::milliseconds test_time{60'000};

struct tally {
  std::int64_t sent = 0, failed = 0, passed_on = 0, rate_limited = 0, paused = 0;

  void add(const std::string& outcome, std::int64_t count) {
    if (outcome == "sent") sent += count;
    if (outcome == "failed") failed += count;
    if (outcome == "passed_on") passed_on += count;
    if (outcome == "rate_limited") rate_limited += count;
    if (outcome == "paused") paused += count;
  }
  /// What was passed on failed here too; what was dropped was never tried.
  void write_to(json& out) const {
    const auto tried = sent + failed + passed_on;
    out["total"] = tried + rate_limited + paused;
    out["sent"] = sent;
    out["failed"] = failed;
    out["passed_on"] = passed_on;
    out["rate_limited"] = rate_limited;
    out["paused"] = paused;
    out["failure_rate"] = tried == 0 ? 0.0 : static_cast<double>(failed + passed_on) / static_cast<double>(tried);
  }
};

void answer_status(const exchange_ptr& ex, const rows& channels, const rows& outcomes, std::int64_t dead_letters) {
  std::map<std::string, tally> by_channel, by_type;
  tally all;
  for (const auto& row : outcomes.values) {
    const auto& outcome = as_text(row[2]);
    for (auto* one : {&by_channel[as_text(row[0])], &by_type[as_text(row[1])], &all}) one->add(outcome, as_int(row[3]));
  }
  json listed = json::array();
  for (const auto& row : channels.values) {
    json one{{"channel_id", as_text(row[0])},
             {"name", as_text(row[1])},
             {"type", as_text(row[2])},
             {"is_active", as_int(row[3]) != 0},
             {"quarantined", !is_null(row[4])}};
    by_channel[as_text(row[0])].write_to(one);
    listed.push_back(std::move(one));
  }
  json types = json::array();
  for (const auto& type : channel::channel_types()) {
    json one{{"type", type.name}};
    by_type[std::string(type.name)].write_to(one);
    types.push_back(std::move(one));
  }
  json out{{"period_hours", status_period.count()},
           {"channels", std::move(listed)},
           {"types", std::move(types)},
           {"dead_letters", dead_letters}};
  all.write_to(out);
  ex->ok({{"status", std::move(out)}});
}

void show_status(const route_deps& deps, const exchange_ptr& ex) {
  const auto tenant = ex->tenant().value;
  const auto since = to_micros(ex->now() - status_period);
  deps.store->read(
      {"SELECT entity_key, name, label, enabled, quarantined_at FROM entity WHERE kind = 'channel' AND tenant = $1"
       " AND deleted_at IS NULL ORDER BY name, entity_key LIMIT 1000",
       {tenant}},
      ex->then([deps, ex, tenant, since](const rows& channels) {
        deps.store->read(
            {"SELECT channel, channel_type, outcome, COUNT(*) FROM channel_delivery WHERE tenant = $1 AND at >= "
             "CAST($2 AS BIGINT) GROUP BY channel, channel_type, outcome LIMIT 20000",
             {tenant, since}},
            ex->then([deps, ex, tenant, channels](const rows& outcomes) {
              deps.store->read({"SELECT COUNT(*) FROM dead_letter WHERE tenant = $1 AND replayed_at IS NULL", {tenant}},
                               ex->then([ex, channels, outcomes](const rows& count) {
                                 answer_status(ex, channels, outcomes, as_int(count[0][0]));
                               }));
            }));
      }));
}

void run_test(const route_deps& deps, const exchange_ptr& ex, const entity_ref& ref, const json& definition) {
  deps.channels->test(ref, definition, ex->context(), ex->then([ex](const notice::channel_test_outcome& outcome) {
    if (outcome.success) return ex->ok({{"success", true}, {"message", outcome.message}});
    ex->refuse({error_code::internal_server_error, outcome.message},
               {{"success", false}, {"message", outcome.message}});
  }));
}

/// What the body says about a channel that need not be saved.
result<json> unsaved_channel(const exchange& ex, const json& body) {
  const auto refuse = [](std::string why, std::string at) {
    return fail(error_code::validation_error, std::move(why), std::move(at));
  };
  json out{{"name", "test"}};
  auto type = ex.text("channel_type");
  if (type.empty() && body.contains("type") && body["type"].is_string()) type = body["type"].get<std::string>();
  if (type.empty())
    return refuse("Say which type of channel is tested: ?channel_type=slack, or ?channel_id= of a saved one.", {});
  if (!channel::find_channel_type(type))
    return refuse("There is no channel type of this name; GET /cep/channels/types lists those that exist.", {});
  if (!body.contains("config") || !body["config"].is_object())
    return refuse("The body needs the 'config' of the channel: {\"config\": {…}}.", "/config");
  out["type"] = type;
  out["config"] = body["config"];
  // The original named recipients beside the config.
  if (body.contains("recipients") && !out["config"].contains("recipients"))
    out["config"]["recipients"] = body["recipients"];
  for (const char* name : {"language", "templates"})
    if (body.contains(name)) out[name] = body[name];
  return out;
}

void test_channel(const route_deps& deps, const exchange_ptr& ex) {
  entity_ref ref{std::string(channel::kind_name), ex->tenant(), ex->text("channel_id")};
  if (ref.key.empty()) {
    auto definition = unsaved_channel(*ex, ex->body());
    if (!definition) return ex->refuse(definition.error());
    ref.key = "unsaved";
    return run_test(deps, ex, ref, *definition);
  }
  deps.store->read({"SELECT d.body" TOBIT_CHANNEL_TABLES
                    " WHERE e.kind = 'channel' AND e.tenant = $1 AND e.entity_key = $2 AND e.deleted_at IS NULL",
                    {ref.tenant.value, ref.key}},
                   ex->then([deps, ex, ref](const rows& found) {
                     if (found.empty()) return ex->refuse({error_code::not_found, "There is no such channel."});
                     run_test(deps, ex, ref, parse_json(as_text(found[0][0])).value_or(json::object()));
                   }));
}

} // namespace

void add_channel_status_routes(route_table& table, const route_deps& deps) {
  auto status = channel_route("GET", "/cep/channels/status", "get_channel_status",
                              "What the channels sent, dropped and failed to send in the last 24 hours.", "cep:read",
                              [deps](const exchange_ptr& ex) { show_status(deps, ex); });
  status.answers.type =
      object({required("status", open_object({required("total", whole(0, 1e15)), required("failure_rate", number()),
                                              required("channels", list_of(open_object()))}))});
  table.add(std::move(status));

  if (!deps.channels) return;
  auto test =
      channel_route("POST", "/cep/channels/test", "test_channel",
                    "Sends a test message, once and now, through a saved channel or one that is only described.",
                    "cep:execute", [deps](const exchange_ptr& ex) { test_channel(deps, ex); });
  test.notes =
      "With `channel_id` the saved channel is used; else `channel_type` and the body's `config`. What could not "
      "be sent is a 500 with `success: false` and the reason.";
  test.parameters = {in_query("channel_type", text(1, 50)), in_query("channel_id", text(1, 100))};
  test.body = body_rule{.type = open_object({optional("config", open_object())}), .required = false};
  test.deadline = test_time;
  test.answers.type = object({required("success", flag()), required("message", text())});
  test.errors = {error_code::validation_error, error_code::address_refused, error_code::not_found};
  table.add(std::move(test));
}

} // namespace tobit::http
