#pragma once

#include "schemas/error.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace tobit::http::edge {

/// Undoes the Content-Encoding of a request body (`gzip`, `deflate`, `identity`, or none) and never holds more than
/// `limit` decompressed bytes. Errors: payload_too_large, validation_error for damaged or truncated data,
/// unsupported_media_type for other codings.
result<std::string> decode_content(std::string_view coding, std::string body, std::size_t limit);

enum class content_coding { identity, gzip, brotli };

/// The best coding by an Accept-Encoding header (RFC 9110 §12.5.3); brotli before gzip where the client is indifferent.
content_coding choose_coding(std::string_view accept_encoding);

/// The name for Content-Encoding.
std::string_view name_of(content_coding coding) noexcept;

/// Whether bodies of this type get noticeably smaller.
bool is_compressible(std::string_view content_type) noexcept;

/// Bodies below this are sent as they are, in bytes.
inline constexpr std::size_t compress_from = 1024;

/// The body compressed, at a level that favours speed; nothing if that fails or saves nothing.
std::optional<std::string> compress(content_coding coding, std::string_view body);

} // namespace tobit::http::edge
