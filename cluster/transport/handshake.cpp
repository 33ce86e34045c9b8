#include "cluster/transport/handshake.hpp"

#include <openssl/rand.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace tobit::cluster {

namespace {

constexpr std::chrono::milliseconds linger_most{500}; ///< for the other side to read why it was refused
constexpr std::size_t linger_bytes_max = 64u << 10;
constexpr std::chrono::milliseconds park_most{1'000}; ///< for the database to tell us of a peer that is faster than it
constexpr std::size_t key_size = 16;

bool ready(int fd, short events) {
  pollfd p{fd, events, 0};
  return ::poll(&p, 1, 0) > 0;
}

/// Empty: no randomness could be had.
std::string random_key() {
  std::array<unsigned char, key_size> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) return {};
  std::string text;
  for (const auto byte : bytes) text.append({"0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 15]});
  return text;
}

} // namespace

handshake::handshake(int fd, socket_address address, tls_context* tls, link_table::dial dial, steady_time deadline)
    : fd_(fd)
    , address_(std::move(address))
    , dial_(std::move(dial))
    , deadline_(deadline)
    , stream_(std::make_unique<secure_stream>(fd, tls, false))
    , stage_(stage::connecting)
    , self_(dial_->self)
    , no_(dial_->no) {}

handshake::handshake(int fd, socket_address address, tls_context* tls, steady_time deadline)
    : fd_(fd)
    , address_(std::move(address))
    , deadline_(deadline)
    , stream_(std::make_unique<secure_stream>(fd, tls, true))
    , stage_(stage::securing) {}

handshake::~handshake() { close(); }

void handshake::close() noexcept {
  stream_.reset();
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

handshake::state handshake::run(link_table& links, steady_time now) {
  while (stage_ != stage::over && stage_ != stage::proven && step(links, now) == progress::on) {
  }
  return stage_ == stage::proven ? state::proven : stage_ == stage::over ? state::over : state::waiting;
}

handshake::progress handshake::step(link_table& links, steady_time now) {
  switch (stage_) {
  case stage::connecting:
    return connect(now);
  case stage::securing:
    return secure(now);
  case stage::greeting:
    return read_greeting(links, now);
  case stage::parked:
    return wait_parked(links, now);
  case stage::writing:
    return write(now);
  case stage::lingering:
    return linger();
  default:
    return progress::blocked;
  }
}

short handshake::events() const noexcept {
  if (stage_ == stage::parked) return POLLRDHUP;
  return wants_write_ ? POLLOUT : POLLIN;
}

void handshake::give_up(const std::string& why, steady_time now) {
  if (stage_ == stage::lingering) {
    stage_ = stage::over;
    return;
  }
  if (why_.empty()) why_ = why;
  if (unknown()) refused("too_slow", why + " Look which program connects to the cluster's address.");
  if (stage_ == stage::connecting)
    stage_ = stage::over;
  else
    end_gently(now);
}

std::shared_ptr<link_session> handshake::take() {
  auto session = std::make_shared<link_session>(std::exchange(fd_, -1));
  session->no = no_;
  session->peer = dial_ ? dial_->peer : other_->who.incarnation;
  session->side = dial_ ? frame_guard::side::dialled : frame_guard::side::accepted;
  session->key = key_;
  session->stream = std::move(stream_);
  return session;
}

// -- stages ----------------------------------------------------------------------------------------------------------

handshake::progress handshake::connect(steady_time now) {
  wants_write_ = true;
  if (!ready(fd_, POLLOUT)) return progress::blocked;
  if (const auto why = connect_failure(fd_); !why.empty()) {
    fail({{}, "No connection to " + address_.text() + ": " + why + "."}, now);
    return progress::on;
  }
  wants_write_ = false;
  stage_ = stage::securing;
  return progress::on;
}

handshake::progress handshake::secure(steady_time now) {
  const auto got = stream_->handshake();
  wants_write_ = got == secure_stream::step::want_write;
  if (got == secure_stream::step::want_read || wants_write_) return progress::blocked;
  if (got == secure_stream::step::failed) {
    fail(stream_->failure(), now);
    return progress::on;
  }
  if (const auto named = stream_->peer()) {
    if (!*named) {
      refuse({"wrong_certificate", named->error().message}, now);
      return progress::on;
    }
    proof_ = **named;
  }
  if (dial_)
    say(said_hello{dial_->self, {dial_->peer, {}}}, stage::greeting);
  else
    stage_ = stage::greeting;
  return progress::on;
}

handshake::progress handshake::read_greeting(link_table& links, steady_time now) {
  wants_write_ = false;
  const bool in_head = head_read_ < head_.size();
  std::size_t got = 0;
  auto* to = in_head ? reinterpret_cast<char*>(head_.data()) + head_read_ : incoming_.data() + written_;
  // Exactly this greeting: what follows is for CAF, and must stay in the stream.
  const auto step = stream_->read(to, in_head ? head_.size() - head_read_ : incoming_.size() - written_, got);
  if (step == secure_stream::step::failed) {
    fail(stream_->failure(), now);
    return progress::on;
  }
  wants_write_ = step == secure_stream::step::want_write;
  if (step != secure_stream::step::done) return progress::blocked;
  if (in_head) {
    head_read_ += got;
    if (head_read_ < head_.size()) return progress::on;
    const auto size = greeting_size(head_);
    if (!size) {
      refuse({"garbage", size.error().message}, now);
      return progress::on;
    }
    incoming_.resize(*size);
    written_ = 0;
    return progress::on;
  }
  written_ += got;
  if (written_ < incoming_.size()) return progress::on;
  const auto what = decode_greeting(incoming_);
  head_read_ = 0;
  incoming_.clear();
  if (what)
    understand(links, *what, now);
  else
    refuse({"garbage", what.error().message}, now);
  return progress::on;
}

handshake::progress handshake::write(steady_time now) {
  while (written_ < outgoing_.size()) {
    std::size_t put = 0;
    const auto step = stream_->write(outgoing_.data() + written_, outgoing_.size() - written_, put);
    written_ += put;
    wants_write_ = step == secure_stream::step::want_write;
    if (step == secure_stream::step::failed) {
      fail(stream_->failure(), now);
      return progress::on;
    }
    if (step != secure_stream::step::done) return progress::blocked;
  }
  wants_write_ = false;
  if (after_writing_ == stage::lingering)
    end_gently(now);
  else
    stage_ = after_writing_;
  return progress::on;
}

handshake::progress handshake::wait_parked(link_table& links, steady_time now) {
  if (ready(fd_, POLLRDHUP)) {
    fail({{}, "The other side closed the connection."}, now);
    return progress::on;
  }
  knock(links, now);
  return stage_ == stage::parked ? progress::blocked : progress::on;
}

handshake::progress handshake::linger() {
  std::array<char, 4'096> sink{};
  const auto got = ::recv(fd_, sink.data(), sink.size(), 0);
  wants_write_ = false;
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return progress::blocked;
  if (got <= 0 || static_cast<std::size_t>(got) >= linger_left_)
    stage_ = stage::over;
  else
    linger_left_ -= static_cast<std::size_t>(got);
  return progress::on;
}

// -- what is said ----------------------------------------------------------------------------------------------------

void handshake::understand(link_table& links, const greeting_message& what, steady_time now) {
  if (const auto* refusal = std::get_if<refuse_peer>(&what)) {
    why_ = tamed(refusal->sentence);
    if (refusal->reason != not_ready) refused(tamed(refusal->reason, 40), "The other side refuses the link: " + why_);
    end_gently(now);
    return;
  }
  if (std::holds_alternative<link_ready>(what)) {
    if (!dial_ && no_ != 0)
      stage_ = stage::proven;
    else
      refuse({"garbage", "A message of the greeting came out of turn."}, now);
    return;
  }
  if (other_) return refuse({"garbage", "A message of the greeting came out of turn."}, now);
  other_ = std::get<said_hello>(what);
  if (!dial_) self_ = links.self();
  if (auto refusal = judge_hello(self_, other_->who, proof_ ? &*proof_ : nullptr)) return refuse(*refusal, now);
  if (!dial_) {
    parked_until_ = std::min(deadline_, now + park_most);
    return knock(links, now);
  }
  if (other_->who.node != dial_->node)
    return refuse({"wrong_node", "At " + address_.text() + " is node '" + tamed(other_->who.node) + "', not '" +
                                     dial_->node + "'. Correct the address in that node's configuration."},
                  now);
  if (other_->who.incarnation != dial_->peer || other_->link.key.empty() || other_->link.key.size() > 4 * key_size)
    return refuse({std::string(not_ready),
                   "Node '" + dial_->node + "' is not incarnation " + std::to_string(dial_->peer) + " any more."},
                  now);
  key_ = other_->link.key;
  say(link_ready{}, stage::proven);
}

void handshake::knock(link_table& links, steady_time now) {
  auto answer = links.admit(*other_, {});
  switch (answer.what) {
  case link_table::admission::verdict::refused:
    return refuse(answer.refusal, now);
  case link_table::admission::verdict::wait:
    if (now >= parked_until_) return refuse(answer.refusal, now);
    rival_ = answer.no;
    stage_ = stage::parked;
    return;
  case link_table::admission::verdict::welcome:
    break;
  }
  no_ = answer.no;
  key_ = random_key();
  if (key_.empty()) return refuse({std::string(not_ready), "This node has no randomness for a key."}, now);
  say(said_hello{answer.self, {0, key_}}, stage::greeting);
}

void handshake::say(const greeting_message& what, stage next) {
  outgoing_ = encode_greeting(what);
  written_ = 0;
  after_writing_ = next;
  stage_ = stage::writing;
}

void handshake::refuse(refuse_peer refusal, steady_time now) {
  why_ = refusal.sentence;
  if (refusal.reason != not_ready) refused(refusal.reason, refusal.sentence);
  deadline_ = now + linger_most;
  say(refusal, stage::lingering);
}

void handshake::refused(std::string reason, std::string sentence) {
  const auto node = dial_ ? dial_->node : proof_ ? proof_->node : other_ ? other_->who.node : std::string{};
  refusal_ = link_refusal{address_.text(), tamed(node, 100), std::move(reason), std::move(sentence)};
}

void handshake::fail(const stream_failure& failure, steady_time now) {
  if (why_.empty()) why_ = failure.sentence;
  if (failure.reason.empty() && dial_ && stage_ == stage::greeting && !other_)
    why_ += " It did so without a word; its log says why. Perhaps only one of the two is configured with TLS.";
  if (!failure.reason.empty()) refused(failure.reason, failure.sentence);
  if (failure.reason.empty())
    stage_ = stage::over;
  else
    end_gently(now);
}

/// Closing with unread bytes would make the kernel throw away what we said last.
void handshake::end_gently(steady_time now) {
  stream_->finish();
  stage_ = stage::lingering;
  wants_write_ = false;
  linger_left_ = linger_bytes_max;
  deadline_ = now + linger_most;
}

} // namespace tobit::cluster
