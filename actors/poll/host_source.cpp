#include "actors/poll/host_source.hpp"

#include "actors/poll/host/host_reader.hpp"

#include <caf/all.hpp>

#include <optional>

namespace tobit::poll {

/// Somebody wants the machine's figures.
struct read_host_note {
  std::shared_ptr<std::function<void(result<metric_document>)>> done;
};
struct first_sample_note {};

} // namespace tobit::poll

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tobit::poll::read_host_note)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tobit::poll::first_sample_note)

namespace tobit::poll {

namespace {

/// What: reads /proc for whoever asks. Lives as long as its source, with a thread of its own, because it opens a file
/// per process and asks disks that may hang. Sees this machine only. A restart loses the sample that rates start from.
class host_reader final : public caf::event_based_actor {
public:
  host_reader(caf::actor_config& config, const tobit::clock& time, host_source_options options)
      : caf::event_based_actor(config)
      , time_(time)
      , options_(std::move(options))
      , units_(host::units_of_this_machine()) {
    set_default_handler(caf::drop);
  }
  const char* name() const override { return "host_reader"; }

protected:
  caf::behavior make_behavior() override {
    send(this, first_sample_note{}); // so that the first reading has something to compare with
    return {
        [this](const first_sample_note&) {
          if (auto sample = host::read_host(options_.proc, time_.steady_now())) latest_ = std::move(*sample);
        },
        [this](const read_host_note& note) { (*note.done)(current()); },
    };
  }

private:
  result<metric_document> current() {
    const auto now = time_.steady_now();
    if (document_ && now - latest_->taken_at < options_.keep) return document_;
    auto sample = host::read_host(options_.proc, now);
    if (!sample) return fail(sample.error());
    const bool comparable = latest_ && latest_->taken_at < now;
    document_ = std::make_shared<const json>(host::host_document(*sample, comparable ? &*latest_ : nullptr, units_));
    latest_ = std::move(*sample);
    return document_;
  }

  const tobit::clock& time_; // the base class has a clock of its own
  const host_source_options options_;
  const host::host_units units_;
  std::optional<host::host_sample> latest_;
  metric_document document_;
};

class host_source final : public metric_source {
public:
  host_source(caf::actor_system& system, const clock& time, host_source_options options)
      : reader_(system.spawn<host_reader, caf::detached>(time, std::move(options))) {}
  ~host_source() override { caf::anon_send_exit(reader_, caf::exit_reason::user_shutdown); }

  void read(const entity::poll_interest&, std::function<void(result<metric_document>)> done) override {
    caf::anon_send(reader_,
                   read_host_note{std::make_shared<std::function<void(result<metric_document>)>>(std::move(done))});
  }

private:
  const caf::actor reader_;
};

} // namespace

std::unique_ptr<metric_source> make_host_source(caf::actor_system& system, const clock& time,
                                                host_source_options options) {
  return std::make_unique<host_source>(system, time, std::move(options));
}

} // namespace tobit::poll
