#include "http/server/request_task.hpp"

#include "http/server/content_coding.hpp"

#include <algorithm>

namespace tobit::http::edge {
namespace {

class request_task final : public task {
public:
  request_task(edge_scope& edge, request incoming, responder answer, std::size_t body_max)
      : edge_(edge), incoming_(std::move(incoming)), answer_(std::move(answer)), body_max_(body_max) {}

  void run() override {
    if (auto plain = decode(); !plain) return answer_.send(edge_.refusal(plain.error()));
    edge_.figures.requests.fetch_add(1, std::memory_order_relaxed);
    edge_.handler.handle(std::move(incoming_), std::move(answer_));
  }

private:
  result<void> decode() {
    const auto coding = incoming_.header("content-encoding");
    if (coding.empty() || incoming_.body.empty()) return {};
    auto plain = decode_content(coding, std::move(incoming_.body), body_max_);
    if (!plain) return fail(plain.error());
    incoming_.body = std::move(*plain);
    auto& headers = incoming_.headers;
    std::erase_if(headers, [](const auto& header) {
      return header.first == "content-encoding" || header.first == "content-length";
    });
    headers.emplace_back("content-length", std::to_string(incoming_.body.size()));
    return {};
  }

  edge_scope& edge_;
  request incoming_;
  responder answer_;
  std::size_t body_max_;
};

} // namespace

std::unique_ptr<task> make_request_task(edge_scope& edge, request incoming, responder answer, std::size_t body_max) {
  return std::make_unique<request_task>(edge, std::move(incoming), std::move(answer), body_max);
}

} // namespace tobit::http::edge
