#pragma once

#include "cluster/transport/handshake.hpp"
#include "cluster/transport/link_table.hpp"
#include "cluster/transport/refusal_notes.hpp"
#include "cluster/transport/secure_stream.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

namespace tobit::cluster {

/// Ends a poll(2) of another thread.
class wake_signal {
public:
  wake_signal();
  ~wake_signal();
  wake_signal(const wake_signal&) = delete;
  wake_signal& operator=(const wake_signal&) = delete;
  void ring() const noexcept;
  void drain() const noexcept;
  int fd() const noexcept { return fd_; } ///< negative: could not be made

private:
  int fd_;
};

/// The one thread that accepts, dials and carries on all handshakes. What it costs is bounded by `handshakes_max`
/// connections that have not proved themselves; when they are too many, the oldest one of the host that has most of
/// them goes, so that whoever is fast and not alone at its address gets in however many knock.
class handshake_loop {
public:
  /// Gets what has proved itself. Called by the loop's thread.
  using hand_over = std::function<void(handshake&, steady_time deadline)>;

  /// `listener` belongs to the loop from now on.
  handshake_loop(const link_options& options, int listener, std::shared_ptr<wake_signal> wake,
                 std::shared_ptr<tls_context> tls, std::shared_ptr<link_table> links, hand_over give);
  ~handshake_loop();

  /// Closes the listener and all handshakes; waits for the thread.
  void stop();

private:
  void work();
  void wait(steady_time now);
  void accept_all(steady_time now);
  void dial_all(steady_time now);
  void carry_on(steady_time now);
  void settle(handshake& h, handshake::state state, steady_time now);
  void make_room();
  void tell(link_refusal refusal, const std::string& host, steady_time now);

  const link_options options_;
  const int listener_;
  const std::shared_ptr<wake_signal> wake_;
  const std::shared_ptr<tls_context> tls_;
  const std::shared_ptr<link_table> links_;
  const hand_over give_;
  std::vector<std::unique_ptr<handshake>> handshakes_;
  refusal_notes notes_;
  std::optional<steady_time> accept_again_; ///< out of descriptors: asking at once again would only burn the processor
  bool accept_ready_ = false;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

} // namespace tobit::cluster
