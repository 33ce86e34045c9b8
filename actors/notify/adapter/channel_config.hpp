#pragma once

#include "actors/notify/adapter/channel_adapter.hpp"

#include <string>
#include <string_view>
#include <vector>

/// Reading the normalised `config` of a channel.
namespace tobit::notify {

std::string config_text(const json& config, const char* name);
/// Without slashes at the end, so that a path can be appended.
std::string config_url(const json& config, const char* name);
std::vector<std::string> config_list(const json& config, const char* name);

/// An address that may stand there itself or be a reference to a secret.
result<std::string> address_of(const json& config, const char* name, const secret_lookup& secrets);

} // namespace tobit::notify
