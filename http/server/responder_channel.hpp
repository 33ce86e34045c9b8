#pragma once

#include "http/server/server.hpp"

#include <memory>

namespace tobit::http {

/// The server's side of a `responder`: exactly one of `send` and `start_stream` is called, at most once, from any
/// thread. Destroyed without either, it makes sure that the client gets an error. Tests of handlers hand in their own.
class responder::channel {
public:
  virtual ~channel() = default;
  virtual void send(response answer) = 0;
  virtual std::shared_ptr<event_stream> start_stream(response head) = 0;
};

} // namespace tobit::http
