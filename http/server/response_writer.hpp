#pragma once

#include "http/server/content_coding.hpp"
#include "http/server/server.hpp"

#include <string>

namespace tobit::http::edge {

/// What the request decides about the form of its answer.
struct answer_form {
  bool head_only = false; ///< HEAD
  int minor_version = 1;
  bool keep_alive = true;
  content_coding coding = content_coding::identity;
};

/// An answer as bytes. A large body stays in its own string so that it is not copied.
struct written_answer {
  std::string head; ///< status line and headers, and the body if it is small
  std::string body;
  bool close = false; ///< the connection ends after it
};

/// Whether `write_answer` will compress.
bool wants_compression(const response& answer, const answer_form& form) noexcept;

/// Writes a complete answer: Date, Content-Length, Connection; compressed where it is worth it; without a body for
/// HEAD, 204 and 304. Headers of the answer that would break the framing are left out.
written_answer write_answer(response answer, const answer_form& form);

/// Writes the head of an answer whose body follows piece by piece: chunked, or for HTTP/1.0 until the connection ends.
written_answer write_stream_head(const response& head, const answer_form& form);

/// The reason phrase of a status code, "Unknown" for codes that have none.
std::string_view reason_of(int status) noexcept;

} // namespace tobit::http::edge
