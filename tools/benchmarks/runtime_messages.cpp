// Herald: latency, streams and calls. Each mirrors its counterpart in caf_messages.cpp.
#include <stdexcept>
#include <thread>

#include "runtime.hpp"
#include "runtime_environment.hpp"

namespace bench::runtime {

namespace {

using namespace std::chrono_literals;

/// Two neighbours, or two processes on different hosts.
herald::child_options placed(where wanted) {
  return {.placement = wanted == where::same_host ? herald::together : herald::spread};
}

struct stamp {
  std::int64_t sent;
};
struct poke {};

/// Takes stamps and keeps how old they were on arrival.
struct stamp_reader : herald::process<stamp_reader, stamp> {
  struct args {
    std::vector<double>* ages;
    countdown* done;
  };
  stamp_reader(herald::context&, args a) : a_{a} {}
  void on(const stamp& m) {
    a_.ages->push_back(static_cast<double>(now_ns() - m.sent));
    a_.done->hit();
  }

 private:
  args a_;
};

/// Sends a stamp on whenever it is poked.
struct stamp_sender : herald::process<stamp_sender, poke> {
  struct args {
    std::string reader;
  };
  stamp_sender(herald::context& self, args a) : reader_{self.find<stamp_reader>(a.reader)} {}
  void on(const poke&) { reader_.cast(stamp{now_ns()}); }

 private:
  herald::ref<stamp_reader> reader_;
};

sample latency(std::int64_t rounds, bool through_process) {
  std::vector<double> ages;
  ages.reserve(static_cast<std::size_t>(rounds));
  countdown done{0};
  herald::application app{
      {.name = "latency",
       .children = {herald::child<stamp_reader>("reader", {&ages, &done}, placed(where::other_host)),
                    herald::child<stamp_sender>("sender", {"reader"}, placed(where::other_host))}},
      size_of_application()};
  app.start();
  const auto reader = app.find<stamp_reader>("reader");
  const auto sender = app.find<stamp_sender>("sender");
  const stopwatch watch;
  for (std::int64_t round = 0; round < rounds; ++round) {
    done.reset(1);
    std::this_thread::sleep_for(200us);  // all are idle again, workers asleep
    if (through_process)
      sender.cast(poke{});
    else
      reader.cast(stamp{now_ns()});
    done.wait();
  }
  auto result = finished(watch);
  result.value = percentile(ages, 0.5);
  return result;
}

}  // namespace

sample idle_latency(std::int64_t rounds) { return latency(rounds, true); }
sample idle_latency_thread(std::int64_t rounds) { return latency(rounds, false); }

namespace {

constexpr std::int64_t chunk = 4096;

struct number {
  std::int64_t value;
};
struct more {};
struct begin {};
struct meet {
  herald::any_ref writer;
};

/// Adds, and acknowledges every full chunk.
struct stream_reader : herald::process<stream_reader, number, meet> {
  void on(const number& m) {
    sum_ += m.value;
    if (++seen_ % chunk == 0) writer_.cast(more{});
  }
  void on(const meet& m) { writer_ = m.writer; }

 private:
  herald::any_ref writer_;
  std::int64_t seen_ = 0;
  std::int64_t sum_ = 0;
};

struct stream_writer : herald::process<stream_writer, begin, more> {
  struct args {
    std::int64_t chunks;
    countdown* done;
  };
  stream_writer(herald::context& self, args a)
      : reader_{self.find<stream_reader>("reader")}, left_{a.chunks}, unanswered_{a.chunks}, done_{a.done} {}
  void on(herald::context& self, const begin&) {
    reader_.cast(meet{self.self()});
    send_chunk();
    send_chunk();
  }
  void on(const more&) {
    send_chunk();
    if (--unanswered_ == 0) done_->hit();
  }

 private:
  void send_chunk() {
    if (left_ == 0) return;
    --left_;
    for (std::int64_t i = 0; i < chunk; ++i) reader_.cast(number{i});
  }
  herald::ref<stream_reader> reader_;
  std::int64_t left_;
  std::int64_t unanswered_;
  countdown* done_;
};

}  // namespace

sample cast(std::int64_t messages, where receiver) {
  const std::int64_t chunks = std::max<std::int64_t>(2, messages / chunk);
  countdown done{1};
  herald::application app{{.name = "stream",
                           .children = {herald::child<stream_reader>("reader", placed(receiver)),
                                        herald::child<stream_writer>("writer", {chunks, &done}, placed(receiver))}},
                          size_of_application()};
  app.start();
  const stopwatch watch;
  app.find<stream_writer>("writer").cast(begin{});
  done.wait();
  return million_per_second(watch, static_cast<double>(chunks * chunk));
}

namespace {

struct add {
  std::int64_t value;
  using reply = std::int64_t;
};

struct echo : herald::process<echo, add> {
  std::int64_t on(const add& m) { return sum_ += m.value; }

 private:
  std::int64_t sum_ = 0;
};

struct caller : herald::process<caller, begin> {
  struct args {
    std::int64_t calls;
    countdown* done;
  };
  caller(herald::context& self, args a)
      : self_{self}, callee_{self.find<echo>("echo")}, left_{a.calls}, done_{a.done} {}
  void on(const begin&) { next(); }

 private:
  void next() {
    self_.call(callee_, add{1}, 5s, [this](const herald::result<std::int64_t>& answer) {
      sum_ += answer.value();
      if (--left_ == 0)
        done_->hit();
      else
        next();
    });
  }
  herald::context& self_;
  herald::ref<echo> callee_;
  std::int64_t left_;
  std::int64_t sum_ = 0;
  countdown* done_;
};

}  // namespace

sample call(std::int64_t calls, where callee) {
  countdown done{1};
  herald::application app{{.name = "calls",
                           .children = {herald::child<echo>("echo", placed(callee)),
                                        herald::child<caller>("caller", {calls, &done}, placed(callee))}},
                          size_of_application()};
  app.start();
  const stopwatch watch;
  app.find<caller>("caller").cast(begin{});
  done.wait();
  return ns_per(watch, static_cast<double>(calls));
}

namespace {

struct awaiting_caller : herald::process<awaiting_caller, begin> {
  struct args {
    std::int64_t calls;
    countdown* done;
  };
  awaiting_caller(herald::context& self, args a) : self_{self}, callee_{self.find<echo>("echo")}, a_{a} {}
  herald::coroutine<> on(const begin&) {
    for (std::int64_t i = 0; i < a_.calls; ++i) {
      const auto answer = co_await self_.call(callee_, add{1}, 5s);
      sum_ += answer.value();
    }
    a_.done->hit();
  }

 private:
  herald::context& self_;
  herald::ref<echo> callee_;
  args a_;
  std::int64_t sum_ = 0;
};

/// Puts each call away and answers it from its next handler.
struct late_echo : herald::process<late_echo, add, begin> {
  explicit late_echo(herald::context& self) : self_{self} {}
  void on(const add& m, herald::reply_to<std::int64_t> to) {
    sum_ += m.value;
    waiting_ = std::move(to);
    self_.as<late_echo>().cast(begin{});
  }
  void on(const begin&) { std::exchange(waiting_, {}).reply(sum_); }

 private:
  herald::context& self_;
  herald::reply_to<std::int64_t> waiting_;
  std::int64_t sum_ = 0;
};

struct late_caller : herald::process<late_caller, begin> {
  struct args {
    std::int64_t calls;
    countdown* done;
  };
  late_caller(herald::context& self, args a) : self_{self}, callee_{self.find<late_echo>("echo")}, a_{a} {}
  void on(const begin&) { next(); }

 private:
  void next() {
    self_.call(callee_, add{1}, 5s, [this](const herald::result<std::int64_t>& answer) {
      sum_ += answer.value();
      if (--a_.calls == 0)
        a_.done->hit();
      else
        next();
    });
  }
  herald::context& self_;
  herald::ref<late_echo> callee_;
  args a_;
  std::int64_t sum_ = 0;
};

template <class Caller, class Callee>
sample calls_between_neighbours(std::int64_t calls) {
  countdown done{1};
  herald::application app{{.name = "calls",
                           .children = {herald::child<Callee>("echo", placed(where::same_host)),
                                        herald::child<Caller>("caller", {calls, &done}, placed(where::same_host))}},
                          size_of_application()};
  app.start();
  const stopwatch watch;
  app.find<Caller>("caller").cast(begin{});
  done.wait();
  return ns_per(watch, static_cast<double>(calls));
}

}  // namespace

sample call_coroutine(std::int64_t calls) { return calls_between_neighbours<awaiting_caller, echo>(calls); }
sample reply_later(std::int64_t calls) { return calls_between_neighbours<late_caller, late_echo>(calls); }

sample call_from_thread(std::int64_t calls) {
  herald::application app{{.name = "calls", .children = {herald::child<echo>("echo")}}, size_of_application()};
  app.start();
  const auto callee = app.find<echo>("echo");
  std::int64_t sum = 0;
  const stopwatch watch;
  for (std::int64_t i = 0; i < calls; ++i) sum += callee.call(add{1}).value();
  const auto result = ns_per(watch, static_cast<double>(calls));
  keep(sum);
  return result;
}

}  // namespace bench::runtime
