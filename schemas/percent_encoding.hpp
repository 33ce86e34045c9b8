#pragma once

#include <string>
#include <string_view>

namespace tobit {

/// `text` with `%XX` (RFC 3986 §2.1) as the bytes they stand for. What is no such triple stays as it is; the result may
/// be any bytes. For places that must refuse malformed triples this is not the function: see http/server/target.cpp.
std::string percent_decoded(std::string_view text);

} // namespace tobit
