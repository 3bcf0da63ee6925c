// Raw CAF: starting, stopping and replacing actors, and what they weigh.
#include <stdexcept>

#include "caf_baseline.hpp"
#include "caf_environment.hpp"

namespace bench::caf_baseline {

namespace {

/// Spawns children, watches them, ends them, and replaces the one that crashed: what a supervisor does.
class parent : public caf::event_based_actor {
 public:
  /// Told of children's ends; owned by the benchmark so that it outlives the actor.
  struct ledger {
    countdown done{1};
    std::atomic<number> crashed_at{0};
    std::vector<double> restarts_us;
  };

  class child : public caf::event_based_actor {
   public:
    child(caf::actor_config& cfg, ledger* book) : event_based_actor{cfg}, book_{book} {
      set_exception_handler([](std::exception_ptr&) -> caf::error { return caf::exit_reason::user_shutdown; });
    }
    caf::behavior make_behavior() override {
      return {[this](number value) {
        seen_ += value;
        book_->crashed_at = now_ns();
        throw std::runtime_error{"crash"};
      }};
    }

   private:
    ledger* book_;
    number seen_ = 0;
  };

  parent(caf::actor_config& cfg, ledger* book) : event_based_actor{cfg}, book_{book} {}

  caf::behavior make_behavior() override {
    return {
        [this](number count) {
          children_.reserve(children_.size() + static_cast<std::size_t>(count));
          for (number i = 0; i < count; ++i) add();
          book_->done.hit();
        },
        [this](const std::string& order) {
          if (order == "stop") {
            for (const auto& one : children_) caf::anon_send_exit(one, caf::exit_reason::user_shutdown);
            return;
          }
          // "down": in a stop all of them end; otherwise the one that crashed is replaced
          if (order == "down" && ++down_ == static_cast<number>(children_.size())) book_->done.hit();
        },
        [this](number, number) {  // the only child is down: replace it
          children_.clear();
          add_restarting();
          book_->restarts_us.push_back(static_cast<double>(now_ns() - book_->crashed_at) / 1e3);
          book_->done.hit();
        },
        [this](const std::string&, number) {  // crash the only child, make it first
          if (children_.empty()) add_restarting();
          deliver(children_.front(), caf::make_message(number{1}), context());
        },
    };
  }
  void on_exit() override { children_.clear(); }

 private:
  void add() { watch(caf::make_message(std::string{"down"})); }
  void add_restarting() { watch(caf::make_message(number{0}, number{0})); }
  void watch(caf::message notice) {
    auto one = spawn<child>(book_);
    caf::actor_cast<caf::abstract_actor*>(one)->attach_functor(
        [me = caf::weak_actor_ptr{ctrl()}, notice](const caf::error&, words::execution_t* context) {
          if (auto self = me.lock()) deliver(caf::actor_cast<caf::actor>(self), notice, context);
        });
    children_.push_back(std::move(one));
  }

  ledger* book_;
  std::vector<caf::actor> children_;
  number down_ = 0;
};

}  // namespace

sample spawn(std::int64_t children) {
  parent::ledger book;
  environment env;
  const auto top = env.spawn<parent>(&book);
  const stopwatch watch;
  deliver(top, caf::make_message(children));
  book.done.wait();
  const auto result = million_per_second(watch, static_cast<double>(children));
  book.done.reset(1);
  deliver(top, caf::make_message(std::string{"stop"}));
  book.done.wait();
  return result;
}

sample stop(std::int64_t children) {
  parent::ledger book;
  environment env;
  const auto top = env.spawn<parent>(&book);
  deliver(top, caf::make_message(children));
  book.done.wait();
  book.done.reset(1);
  const stopwatch watch;
  deliver(top, caf::make_message(std::string{"stop"}));
  book.done.wait();
  auto result = watch.stop();
  result.value = result.wall_s * 1e3;
  return result;
}

sample restart(std::int64_t rounds, double fraction) {
  parent::ledger book;
  environment env;
  const auto top = env.spawn<parent>(&book);
  const stopwatch watch;
  for (number round = 0; round < rounds; ++round) {
    book.done.reset(1);
    deliver(top, caf::make_message(std::string{"crash"}, number{1}));
    book.done.wait();
  }
  auto result = watch.stop();
  result.value = percentile(book.restarts_us, fraction);
  book.done.reset(1);
  deliver(top, caf::make_message(std::string{"stop"}));  // its last child must not outlive it
  return result;
}

sample bytes_per_actor(std::int64_t actors) {
  countdown done{actors};
  environment env;
  env.spawn<adder>(&done, 1);
  std::vector<caf::actor> handles;
  handles.reserve(static_cast<std::size_t>(actors));
  const auto before = resident_bytes();
  const stopwatch watch;
  for (number i = 0; i < actors; ++i) handles.push_back(env.system().spawn<adder>(&done, 1));
  for (const auto& one : handles) deliver(one, caf::make_message(number{1}));
  done.wait();
  auto result = watch.stop();
  result.value = static_cast<double>(resident_bytes() - before) / static_cast<double>(actors);
  for (const auto& one : handles) caf::anon_send_exit(one, caf::exit_reason::user_shutdown);
  return result;
}

}  // namespace bench::caf_baseline
