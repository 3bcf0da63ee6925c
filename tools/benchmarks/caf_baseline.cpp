#include "caf_baseline.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/exit_reason.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <memory>
#include <stdexcept>
#include <thread>

#if CAF_MAJOR_VERSION >= 1
#include <caf/init_global_meta_objects.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/scheduler.hpp>
#else
#include <caf/execution_unit.hpp>
#endif

namespace bench::caf_baseline {

namespace {

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

void init_types() {
#if CAF_MAJOR_VERSION >= 1
  caf::core::init_global_meta_objects();
#endif
}

/// Anonymous; with the sender's context 1.x does not wake another worker for nothing.
void deliver(const caf::actor& to, const caf::message& content, host_t* context = nullptr) {
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

sample per(const stopwatch& watch, double work) {
  auto result = watch.stop();
  result.value = result.wall_s * 1e9 / work;
  return result;
}

sample million_per_second(const stopwatch& watch, double work) {
  auto result = watch.stop();
  result.value = work / result.wall_s / 1e6;
  return result;
}

}  // namespace

std::string version() {
  return "CAF " + std::to_string(CAF_MAJOR_VERSION) + "." + std::to_string(CAF_MINOR_VERSION);
}

sample fan_out(std::int64_t subscribers, std::int64_t publishes) {
  environment env;
  countdown done{subscribers};
  for (number i = 0; i < subscribers; ++i) env.spawn<adder>(&done, publishes);
  const auto content = caf::make_message(number{1});
  const stopwatch watch;
  for (number round = 0; round < publishes; ++round)
    for (const auto& one : env.actors()) deliver(one, content);
  done.wait();
  return per(watch, static_cast<double>(subscribers) * static_cast<double>(publishes));
}

namespace {

/// Takes stamps and keeps how old they were on arrival.
class stamp_reader : public caf::event_based_actor {
 public:
  stamp_reader(caf::actor_config& cfg, std::vector<double>* ages, countdown* finished)
      : event_based_actor{cfg}, ages_{ages}, done_{finished} {}
  caf::behavior make_behavior() override {
    return {[this](number sent) {
      ages_->push_back(static_cast<double>(now_ns() - sent));
      done_->hit();
    }};
  }

 private:
  std::vector<double>* ages_;
  countdown* done_;
};

/// Sends a stamp on whenever it is poked.
class stamp_sender : public caf::event_based_actor {
 public:
  stamp_sender(caf::actor_config& cfg, caf::actor reader) : event_based_actor{cfg}, reader_{std::move(reader)} {}
  caf::behavior make_behavior() override {
    return {[this](number) { deliver(reader_, caf::make_message(now_ns()), context()); }};
  }
  void on_exit() override { reader_ = nullptr; }

 private:
  caf::actor reader_;
};

sample latency(std::int64_t rounds, bool through_actor) {
  std::vector<double> ages;
  ages.reserve(static_cast<std::size_t>(rounds));
  countdown done{0};
  environment env;
  const auto reader = env.spawn<stamp_reader>(&ages, &done);
  const auto sender = env.spawn<stamp_sender>(reader);
  const stopwatch watch;
  for (number round = 0; round < rounds; ++round) {
    done.reset(1);
    std::this_thread::sleep_for(std::chrono::microseconds{200});  // all are idle again, workers asleep
    if (through_actor)
      deliver(sender, caf::make_message(number{1}));
    else
      deliver(reader, caf::make_message(now_ns()));
    done.wait();
  }
  auto result = watch.stop();
  result.value = percentile(ages, 0.5);
  return result;
}

}  // namespace

sample idle_latency(std::int64_t rounds) { return latency(rounds, true); }
sample idle_latency_thread(std::int64_t rounds) { return latency(rounds, false); }

namespace {

constexpr number chunk = 4096;

/// Adds, and acknowledges every full chunk.
class stream_reader : public caf::event_based_actor {
 public:
  explicit stream_reader(caf::actor_config& cfg) : event_based_actor{cfg} {}
  caf::behavior make_behavior() override {
    return {
        [this](number value) {
          sum_ += value;
          if (++seen_ % chunk == 0) deliver(writer_, caf::make_message(std::string{"more"}), context());
        },
        [this](const caf::actor& writer) { writer_ = writer; },
    };
  }
  void on_exit() override { writer_ = nullptr; }

 private:
  caf::actor writer_;
  number seen_ = 0;
  number sum_ = 0;
};

class stream_writer : public caf::event_based_actor {
 public:
  stream_writer(caf::actor_config& cfg, caf::actor reader, number chunks, countdown* finished)
      : event_based_actor{cfg}, reader_{std::move(reader)}, chunks_{chunks}, unanswered_{chunks}, done_{finished} {}
  caf::behavior make_behavior() override {
    return {
        [this](number) {  // the start: two chunks in flight
          send_chunk();
          send_chunk();
        },
        [this](const std::string&) {
          send_chunk();
          if (--unanswered_ == 0) done_->hit();
        },
    };
  }
  void on_exit() override { reader_ = nullptr; }

 private:
  void send_chunk() {
    if (chunks_ == 0) return;
    --chunks_;
    for (number i = 0; i < chunk; ++i) deliver(reader_, caf::make_message(i), context());
  }
  caf::actor reader_;
  number chunks_;
  number unanswered_;
  countdown* done_;
};

}  // namespace

sample cast(std::int64_t messages) {
  const number chunks = std::max<number>(2, messages / chunk);
  countdown done{1};
  environment env;
  const auto reader = env.spawn<stream_reader>();
  const auto writer = env.spawn<stream_writer>(reader, chunks, &done);
  deliver(reader, caf::make_message(writer));
  const stopwatch watch;
  deliver(writer, caf::make_message(number{1}));
  done.wait();
  return million_per_second(watch, static_cast<double>(chunks * chunk));
}

namespace {

class echo : public caf::event_based_actor {
 public:
  explicit echo(caf::actor_config& cfg) : event_based_actor{cfg} {}
  caf::behavior make_behavior() override {
    return {[this](number value) -> number { return sum_ += value; }};
  }

 private:
  number sum_ = 0;
};

class caller : public caf::event_based_actor {
 public:
  caller(caf::actor_config& cfg, caf::actor callee, number calls, countdown* finished)
      : event_based_actor{cfg}, callee_{std::move(callee)}, left_{calls}, done_{finished} {}
  caf::behavior make_behavior() override {
    return {[this](number) { next(); }};
  }
  void on_exit() override { callee_ = nullptr; }

 private:
  void next() {
    ask(this, callee_, number{1}).then([this](number value) {
      sum_ += value;
      if (--left_ == 0)
        done_->hit();
      else
        next();
    });
  }
  caf::actor callee_;
  number left_;
  number sum_ = 0;
  countdown* done_;
};

}  // namespace

sample call(std::int64_t calls) {
  countdown done{1};
  environment env;
  const auto one = env.spawn<caller>(env.spawn<echo>(), calls, &done);
  const stopwatch watch;
  deliver(one, caf::make_message(number{1}));
  done.wait();
  return per(watch, static_cast<double>(calls));
}

sample call_from_thread(std::int64_t calls) {
  environment env;
  const auto callee = env.spawn<echo>();
  number sum = 0;
  const stopwatch watch;
  {
    caf::scoped_actor self{env.system()};
    for (number i = 0; i < calls; ++i)
      ask(self.ptr(), callee, number{1})
          .receive([&](number value) { sum += value; },
                   [](const caf::error&) { throw std::runtime_error{"the call failed"}; });
  }
  auto result = per(watch, static_cast<double>(calls));
  keep(sum);
  return result;
}

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
        [me = caf::weak_actor_ptr{ctrl()}, notice](const caf::error&, host_t* context) {
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
