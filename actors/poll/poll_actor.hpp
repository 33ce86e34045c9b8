#pragma once

#include "actors/poll/poll_loop.hpp"
#include "actors/poll/poll_state.hpp"

#include <caf/all.hpp>

#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace tobit::poll {

// What the poll loop's actor is told, all of it inside one process.
struct begin_note {};
struct wake_note {
  std::uint64_t generation = 0;
};
struct interest_note {
  entity_ref ref;
  std::int64_t version = 0;
  std::shared_ptr<const json> spec; ///< null: no longer wanted
};
struct page_note {
  std::shared_ptr<result<storage::rows>> rows;
};
struct document_note {
  std::uint64_t fetch = 0;
  std::shared_ptr<result<metric_document>> document;
};
struct answer_note {
  std::uint32_t subscriber = 0, revision = 0;
};
struct inspect_note {
  std::shared_ptr<std::function<void(json)>> done;
};

/// The shell of `poll_state`.
///
/// What: asks sources, hands what they answer to entities. Lives from the leader's start to its stop. Sees the whole
/// cluster's interests through the database; knows no kind. Never blocks: sources have threads of their own. A restart
/// reads the interests again and begins anew.
class poll_actor final : public caf::event_based_actor {
public:
  poll_actor(caf::actor_config& config, poll_loop_deps deps, poll_loop_options options);
  const char* name() const override { return "poll_loop"; }

protected:
  caf::behavior make_behavior() override;

private:
  struct failure {
    utc_time at;
    std::string about, error;
    std::set<std::string> tenants; ///< of the rules that asked
  };

  void begin();
  void read_page();
  void take_page(const result<storage::rows>& page);
  void define(const entity_ref& ref, std::int64_t version, const json& spec);
  void take_interest(const interest_note& note);
  void step();
  void start_fetch(const fetch& next);
  void take_document(const document_note& note);
  void hand_out(const fetch_outcome& outcome, const reading& found);
  void note_failure(const fetch_outcome& outcome, const std::string& why);
  void arm();
  json figures() const;
  const identity_ptr& identity_of(const tenant_id& tenant);
  caf::actor self_handle() { return caf::actor_cast<caf::actor>(this); }

  const poll_loop_deps deps_;
  const poll_loop_options options_;
  poll_state state_;
  bool begun_ = false, loaded_ = false, retry_load_ = false;
  entity_ref page_end_;
  steady_time now_{}, armed_for_ = steady_time::max(), retry_at_{};
  std::uint64_t generation_ = 0, polls_ = 0, failures_ = 0, busy_ = 0;
  std::deque<failure> recent_;
  std::unordered_map<tenant_id, identity_ptr> identities_;
};

} // namespace tobit::poll

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tobit::poll::begin_note)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tobit::poll::wake_note)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tobit::poll::interest_note)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tobit::poll::page_note)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tobit::poll::document_note)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tobit::poll::answer_note)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tobit::poll::inspect_note)
