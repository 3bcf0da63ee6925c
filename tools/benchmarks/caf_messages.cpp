// Raw CAF: fan-out, latency, streams and calls.
#include <caf/scoped_actor.hpp>
#include <stdexcept>
#include <thread>

#include "caf_baseline.hpp"
#include "caf_environment.hpp"

namespace bench::caf_baseline {

std::string version() { return "CAF " + std::to_string(CAF_MAJOR_VERSION) + "." + std::to_string(CAF_MINOR_VERSION); }

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

}  // namespace bench::caf_baseline
