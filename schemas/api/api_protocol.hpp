#pragma once

#include "schemas/message.hpp"

#include <string>
#include <string_view>

/// What can be said to an API definition: the entity `api/<tenant>/<api_id>`.
namespace tobit::api {

inline constexpr std::string_view kind_name = "api";

/// Runs the definition for a rule's action. At least once; a repetition has the same `call_id`. Answer: `api_called`.
struct call_api {
  static constexpr std::string_view wire_name = "tobit.api.call.v1";
  std::string call_id;
  json params; ///< an object
  json input;  ///< what the caller passes on: the rule's payload, or null
  std::string executed_by;
};
struct api_called {
  static constexpr std::string_view wire_name = "tobit.api.called.v1";
  json result;
};

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(call_api, call_id, params, input, executed_by)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(api_called, result)

inline void register_api_messages() { register_messages<call_api, api_called>(); }

} // namespace tobit::api
