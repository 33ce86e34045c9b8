#pragma once

#include "actors/notify/channel/channel_memory.hpp"
#include "actors/notify/channel/channel_rows.hpp"
#include "actors/notify/channel/channel_settings.hpp"
#include "runtime/entity/entity_logic.hpp"
#include "schemas/entity/entity_protocol.hpp"

#include <string>
#include <vector>

namespace tobit::notify {

class channel_adapter;

/// One channel: what it decides about each notice. Pure: no clock, no I/O.
///
/// A notice is told once: its id is remembered (the last `known_notices_max`), and what is on its way is durable until
/// its effects are settled. Then it is sent; or passed on to the fallback, unless that one was tried before; or kept as
/// a dead letter. How it ended goes to whoever wanted to know. Where the place of a thread's first message is only
/// known from its answer, later notices of the thread wait for it.
class channel_state final : public entity::entity_logic {
public:
  /// Precondition: `definition` is normalised. Throws json::exception if it is not.
  channel_state(entity_ref ref, const json& definition);

  result<entity::decision> decide(const message& request, const entity::moment& at) override;
  void apply(const message& event) override { memory_.apply(event); }
  std::string snapshot() const override { return to_snapshot(memory_, settings_.type); }
  result<void> restore(std::string_view snapshot) override;
  json view() const override;

private:
  result<entity::decision> on_send(const channel::send_notice& notice, const entity::moment& at);
  result<entity::decision> on_replay(const channel::replay_notice& request, const entity::moment& at);
  result<entity::decision> on_settled(const entity::effect_settled& settled, const entity::moment& at);

  result<void> check(const channel::send_notice& notice) const;
  std::string reason_to_drop(const channel::send_notice& notice, utc_time now) const;
  entity::decision drop(const channel::send_notice& notice, const std::string& why, const entity::moment& at) const;
  result<entity::decision> accept(channel::send_notice notice, std::vector<std::string> recipients,
                                  const entity::moment& at) const;
  void deliver(const channel::send_notice& notice, const std::vector<std::string>& recipients,
               const message_thread* thread, entity::decision& out) const;

  /// All parts of the notice have ended; `last` is the one that did now.
  void conclude(const open_notice& one, const channel::part_settled& last, const json& place, const entity::moment& at,
                entity::decision& out) const;
  void give_up(const open_notice& one, const std::vector<std::string>& unreached, const entity::moment& at,
               entity::decision& out) const;
  void bury(const open_notice& one, const std::vector<std::string>& unreached, const std::string& error,
            const entity::moment& at, entity::decision& out) const;
  void end(const open_notice& one, const std::string& outcome, const std::string& error, const json& place,
           const entity::moment& at, entity::decision& out) const;
  void report(const channel::send_notice& notice, const std::string& outcome, const std::string& error,
              const entity::moment& at, entity::decision& out) const;
  delivery_record record(const open_notice& one, std::string outcome, std::string error,
                         const entity::moment& at) const;

  entity_ref ref_;
  channel_settings settings_;
  const channel_adapter* adapter_;
  channel_memory memory_;
};

} // namespace tobit::notify
