#include "schemas/message.hpp"

#include <map>
#include <mutex>

namespace tobit {

namespace {

struct registry {
  std::mutex guard;
  std::map<std::string_view, const message_type*> types;
};
registry& types() {
  static registry instance;
  return instance;
}

} // namespace

void register_message_type(const message_type& type) {
  std::lock_guard lock{types().guard};
  types().types.emplace(type.name, &type);
}

std::vector<const message_type*> registered_message_types() {
  std::lock_guard lock{types().guard};
  std::vector<const message_type*> all;
  for (const auto& [name, type] : types().types) all.push_back(type);
  return all;
}

result<message> decode_message(std::string_view name, const json& body) {
  const message_type* type = nullptr;
  {
    std::lock_guard lock{types().guard};
    if (auto entry = types().types.find(name); entry != types().types.end()) type = entry->second;
  }
  if (!type)
    return fail(error_code::not_implemented,
                "Message " + std::string(name) + " is not known to this node; bring all nodes to the same release.");
  try {
    message m;
    m.type_ = type;
    m.body_ = type->decode(body);
    return m;
  } catch (const json::exception&) {
    return fail(error_code::validation_error, "The body of message " + std::string(name) + " is malformed.");
  }
}

} // namespace tobit
