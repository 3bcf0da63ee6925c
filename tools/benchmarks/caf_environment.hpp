#pragma once
// What the CAF baselines share: an actor system that ends its actors, and the actor that adds up.

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <memory>
#include <utility>
#include <vector>

#include <herald/engine/caf_words.hpp>

#include "bench.hpp"

namespace bench::caf_baseline {

namespace words = herald::engine::caf_words;

struct config : caf::actor_system_config {
  config() {
    words::share_work(*this);
    words::configure(*this, "max-threads", static_cast<std::size_t>(worker_count()));
  }
};

/// Anonymous.
inline void deliver(const caf::actor& to, const caf::message& content, words::execution_t* context = nullptr) {
  words::enqueue(to, content, context);
}

template <class Self, class... Ts>
auto ask(Self* self, const caf::actor& to, Ts... values) {
  return words::request(self, to, caf::infinite, values...);
}

class environment {
 public:
  environment() {
    static const bool once = (words::init_types(), true);
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
