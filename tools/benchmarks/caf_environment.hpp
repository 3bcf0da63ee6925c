#pragma once
// What the CAF baselines share: everything that CAF 0.17 and 1.x spell differently, an actor system that ends its
// actors, and the actor that adds up.

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#if CAF_MAJOR_VERSION >= 1
#include <caf/init_global_meta_objects.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/scheduler.hpp>
#else
#include <caf/execution_unit.hpp>
#endif

#include "bench.hpp"

namespace bench::caf_baseline {

// --- where the versions differ ---------------------------------------------------------------------------------------

#if CAF_MAJOR_VERSION >= 1
using host_t = caf::scheduler;
#else
using host_t = caf::execution_unit;
#endif

struct config : caf::actor_system_config {
  config() {
#if CAF_MAJOR_VERSION >= 1
    set("caf.scheduler.policy", "sharing");
    set("caf.scheduler.max-threads", static_cast<std::size_t>(worker_count()));
#else
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", static_cast<std::size_t>(worker_count()));
#endif
  }
};

inline void init_types() {
#if CAF_MAJOR_VERSION >= 1
  caf::core::init_global_meta_objects();
#endif
}

/// Anonymous; with the sender's context 1.x does not wake another worker for nothing.
inline void deliver(const caf::actor& to, const caf::message& content, host_t* context = nullptr) {
  auto* receiver = caf::actor_cast<caf::abstract_actor*>(to);
#if CAF_MAJOR_VERSION >= 1
  receiver->enqueue(caf::make_mailbox_element(nullptr, caf::make_message_id(), content), context);
#else
  receiver->enqueue(nullptr, caf::make_message_id(), content, context);
#endif
}

template <class Self, class... Ts>
auto ask(Self* self, const caf::actor& to, Ts... values) {
#if CAF_MAJOR_VERSION >= 1
  return self->mail(values...).request(to, caf::infinite);
#else
  return self->request(to, caf::infinite, values...);
#endif
}

// --- what they share -------------------------------------------------------------------------------------------------

class environment {
 public:
  environment() {
    static const bool once = (init_types(), true);
    keep(once);
    system_ = std::make_unique<caf::actor_system>(config_);
  }
  environment(const environment&) = delete;
  environment& operator=(const environment&) = delete;
  ~environment() {
    for (const auto& one : actors_) caf::anon_send_exit(one, caf::exit_reason::user_shutdown);
    actors_.clear();
  }

  template <class Actor, class... Ts>
  caf::actor spawn(Ts&&... values) {
    auto one = system_->spawn<Actor>(std::forward<Ts>(values)...);
    actors_.push_back(one);
    return one;
  }
  caf::actor_system& system() { return *system_; }
  const std::vector<caf::actor>& actors() const { return actors_; }

 private:
  config config_;
  std::unique_ptr<caf::actor_system> system_;
  std::vector<caf::actor> actors_;
};

using number = std::int64_t;

/// Adds what it gets; after `expected` messages it says so.
class adder : public caf::event_based_actor {
 public:
  adder(caf::actor_config& cfg, countdown* finished, number expected)
      : event_based_actor{cfg}, done_{finished}, expected_{expected} {}
  caf::behavior make_behavior() override {
    return {[this](number value) {
      sum_ += value;
      if (++seen_ == expected_) done_->hit();
    }};
  }

 private:
  countdown* done_;
  number expected_;
  number seen_ = 0;
  number sum_ = 0;
};

inline sample per(const stopwatch& watch, double work) {
  auto result = watch.stop();
  result.value = result.wall_s * 1e9 / work;
  return result;
}

inline sample million_per_second(const stopwatch& watch, double work) {
  auto result = watch.stop();
  result.value = work / result.wall_s / 1e6;
  return result;
}

}  // namespace bench::caf_baseline
