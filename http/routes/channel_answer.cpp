#include "http/routes/channel_answer.hpp"

#include "http/codec/envelope.hpp"
#include "http/routes/resource_route.hpp"
#include "schemas/channel/channel_protocol.hpp"

namespace tobit::http {

using namespace storage;

json channel_of_row(const tenant_id& tenant, const std::vector<value>& row) {
  auto body = parse_json(as_text(row[7]));
  json channel = body && body->is_object() ? std::move(*body) : json::object();
  channel["channel_id"] = as_text(row[0]);
  channel["tenant_id"] = tenant.value;
  channel["version"] = as_int(row[1]);
  channel["created_at"] = time_or_null(as_int(row[2]));
  channel["created_by"] = as_text(row[3]);
  channel["updated_at"] = time_or_null(as_int(row[4]));
  channel["status"] = !is_null(row[5]) ? "quarantined" : channel.value("is_active", true) ? "active" : "inactive";
  if (!is_null(row[5])) channel["last_error"] = as_text(row[6]);
  return channel;
}

json channel_of_change(const entity_ref& ref, const entity::definition_live& live) {
  json channel = live.definition.is_object() ? live.definition : json::object();
  channel["channel_id"] = ref.key;
  channel["tenant_id"] = ref.tenant.value;
  channel["version"] = live.version;
  channel["status"] = channel.value("is_active", true) ? "active" : "inactive";
  return channel;
}

shape channel_shape() {
  return open_object({required("channel_id", text()), required("name", text()), required("type", text()),
                      required("is_active", flag()), required("config", open_object()),
                      required("version", whole(1, 1e15)),
                      required("status", choice({"active", "inactive", "quarantined"}))});
}

entity_ref channel_ref(const exchange& ex) {
  return {std::string(channel::kind_name), ex.tenant(), ex.text("channel_id")};
}

route channel_route(std::string method, std::string path, std::string operation, std::string summary,
                    std::string permission, route_handler handler) {
  return on_resource({.method = std::move(method),
                      .path = std::move(path),
                      .operation = std::move(operation),
                      .tag = "channels",
                      .summary = std::move(summary),
                      .answers = {.type = object({required("channel", channel_shape())})},
                      .handler = std::move(handler)},
                     std::move(permission), "channel");
}

} // namespace tobit::http
