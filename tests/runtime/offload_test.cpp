// Blocking functions on the application's pool, and stop tokens. In the simulation each function is a step; on real
// threads functions block on latches that the test opens.

#include <atomic>
#include <latch>
#include <set>

#include <pthread.h>

#include "support.hpp"

using namespace herald;
using namespace herald::test;
using namespace std::chrono_literals;

namespace {

/// What the functions do and what came of them; the process hands it on over its restarts.
struct notebook {
  journal log;
  std::atomic<int> begun{0};
};

struct fetch {
  int number = 0;
  std::chrono::nanoseconds takes{0};
  std::chrono::milliseconds limit{1000};
};
struct fetch_badly {};
struct fetch_refused {};
struct fetch_nothing {};
struct fetch_until_stopped {};
struct crash_now {};
struct spin {
  using reply = bool;
};

struct reader : process<reader, fetch, fetch_badly, fetch_refused, fetch_nothing, fetch_until_stopped, crash_now, spin> {
  struct args {
    notebook* book;
  };
  reader(context& self, args a) : self_{self}, book_{*a.book} {}

  void on(const fetch& m) {
    self_.offload(
        [m, &book = book_] {
          ++book.begun;
          simulation::stall(m.takes);
          return m.number;
        },
        m.limit, [this, number = m.number](result<int> r) {
          write(r ? std::to_string(*r) : std::to_string(number) + " " + std::string{r.error().name()});
        });
  }
  void on(const fetch_badly&) {
    self_.offload([]() -> int { throw std::runtime_error{"the disk is gone"}; }, 1s, [this](result<int> r) {
      write(r.is(errc::failed) && r.error().message().find("the disk is gone") != std::string::npos ? "failed" : "?");
    });
  }
  void on(const fetch_refused&) {
    self_.offload([]() -> result<std::string> { return error{errc::not_found, "no such file"}; }, 1s,
                  [this](context& self, result<std::string> r) {
                    write(std::string{r.error().name()} + (&self == &self_ ? " here" : ""));
                  });
  }
  void on(const fetch_nothing&) {
    self_.offload([] {}, 1s, [this](result<void> r) { write(r ? "nothing" : "?"); });
  }
  void on(const fetch_until_stopped&) {
    self_.offload(
        [&book = book_](std::stop_token stop) {
          ++book.begun;
          while (!stop.stop_requested()) simulation::stall(10ms);
          book.log.write("asked");
        },
        1h, [this](result<void>) { write("never"); });
  }
  void on(const crash_now&) { throw std::runtime_error{"crash"}; }
  bool on(const spin&) {
    const auto token = self_.stop_token();
    ++book_.begun;
    while (!token.stop_requested()) simulation::stall(10ms);
    write("asked");
    return token.stop_requested() && self_.stop_token().stop_requested();
  }

 private:
  void write(const std::string& what) { book_.log.write(std::to_string(self_.incarnation()) + ":" + what); }
  context& self_;
  notebook& book_;
};

struct library : world {
  explicit library(std::uint64_t seed, application_options more = {}, placement_t where = together) : world{seed} {
    auto o = options();
    o.offload_threads = more.offload_threads;
    o.offload_queue = more.offload_queue;
    o.offload_stop_limit = more.offload_stop_limit;
    app = std::make_unique<application>(
        supervisor{.name = "top", .intensity = {100, 1s}, .children = {child<reader>("reader", {&book}, {.placement = where})}}, o);
    app->start();
  }
  ~library() { app.reset(); }
  template <class M>
  void ask(M m) {
    app->find<reader>("reader").cast(std::move(m));
  }
  notebook book;
};

}  // namespace

TEST_CASE("offload: a value, an exception, a result and nothing each come back as one continuation") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    library w{seed};
    w.ask(fetch{7});
    w.ask(fetch_badly{});
    w.ask(fetch_refused{});
    w.ask(fetch_nothing{});
    w.sim.run();
    auto lines = w.book.log.take();
    std::sort(lines.begin(), lines.end());
    CHECK(lines == std::vector<std::string>{"1:7", "1:failed", "1:not_found here", "1:nothing"});
    CHECK(count_offloads(*w.app).done == 4);
    CHECK(count_offloads(*w.app).threads == 0);
  }
}

TEST_CASE("offload: answers overtake each other in some seeds, and every seed is repeated exactly") {
  std::set<std::string> orders;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    const auto play = [&] {
      library w{seed};
      for (int i = 1; i <= 3; ++i) w.ask(fetch{i});
      w.sim.run();
      return w.book.log.text();
    };
    const auto first = play();
    CHECK(first == play());
    orders.insert(first);
  }
  CHECK(orders.size() > 1);
}

TEST_CASE("offload: the limit ends the wait, and the function's late value is nobody's") {
  library w{3};
  w.ask(fetch{1, 200ms, 100ms});
  w.sim.advance(1s);
  CHECK(w.book.log.take_text() == "1:1 timeout");
  CHECK(count_offloads(*w.app).done == 1);
}

TEST_CASE("offload: more functions than threads wait their turn; more than the queue holds answer overload") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    library w{seed, {.offload_threads = 1, .offload_queue = 2}};
    w.ask(fetch{0, 50ms});
    CHECK(w.sim.run_until([&] { return w.book.begun == 1; }));
    for (int i = 1; i <= 4; ++i) w.ask(fetch{i, 50ms});
    w.sim.advance(1s);
    CHECK(w.book.log.take_text() == "1:3 overload 1:4 overload 1:0 1:1 1:2");
    CHECK(count_offloads(*w.app).refused == 2);
  }
}

TEST_CASE("offload: a function whose limit passes while it waits is not begun") {
  library w{5, {.offload_threads = 1}};
  w.ask(fetch{1, 500ms});
  CHECK(w.sim.run_until([&] { return w.book.begun == 1; }));
  w.ask(fetch{2, 0ms, 100ms});
  w.sim.advance(1s);
  CHECK(w.book.log.take_text() == "1:2 timeout 1:1");
  CHECK(w.book.begun == 1);
}

TEST_CASE("offload: the end of an incarnation asks its functions to stop, and their results reach no later one") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    library w{seed, {.offload_threads = 2}};
    w.ask(fetch_until_stopped{});
    w.ask(fetch{1, 30ms});
    CHECK(w.sim.run_until([&] { return w.book.begun == 2; }));
    w.ask(fetch{2});  // waits for a thread, and is not begun any more
    w.ask(crash_now{});
    w.sim.advance(1s);
    CHECK(w.book.log.take_text() == "asked");
    CHECK(w.book.begun == 2);
    w.ask(fetch{3});
    w.sim.advance(1s);
    CHECK(w.book.log.take_text() == "2:3");
  }
}

TEST_CASE("offload: at the application's stop, a function that does not end within the limit is named") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    library w{seed, {.offload_threads = 2, .offload_stop_limit = 200ms}};
    w.ask(fetch{1, 1h});
    w.ask(fetch_until_stopped{});
    CHECK(w.sim.run_until([&] { return w.book.begun == 2; }));
    const auto before = w.sim.now();
    const auto end = w.app->stop();
    CHECK(end.zombies == std::vector<std::string>{"reader (offloaded)"});
    CHECK(w.sim.now() - before <= 400ms);
    CHECK(w.book.log.text() == "asked");
  }
}

TEST_CASE("offload: bad options are refused before anything starts") {
  application app{{.name = "x"}, {.offload_threads = 0, .offload_queue = 0, .offload_stop_limit = -1ms}};
  const auto r = app.try_start();
  REQUIRE(!r);
  CHECK(r.error() == errc::bad_option);
  REQUIRE(r.error().fields().size() == 3);
  CHECK(r.error().fields()[0].field == "offload_threads");
  CHECK(r.error().fields()[1].field == "offload_queue");
  CHECK(r.error().fields()[2].message == "is -1 ms; wanted: 0 up");
}

TEST_CASE("stop_token: a long handler learns that its process is to stop while it still runs") {
  for (const auto where : {together, own_thread})
    for (std::uint64_t seed = 1; seed <= 30; ++seed) {
      CAPTURE(seed);
      library w{seed, {}, where};
      const auto r = w.app->find<reader>("reader");
      r.cast(spin{});
      CHECK(w.sim.run_until([&] { return w.book.begun == 1; }));
      const auto before = w.sim.now();
      const auto end = w.app->stop();
      CHECK(end.zombies.empty());
      CHECK(w.sim.now() - before < 200ms);
      CHECK(w.book.log.text() == "1:asked");
      w.book.begun = 0;
    }
}

TEST_CASE("stop_token: a fenced handler is told, and the next incarnation has a fresh one") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    library w{seed};
    const auto r = w.app->find<reader>("reader");
    r.cast(spin{});
    CHECK(w.sim.run_until([&] { return w.book.begun == 1; }));
    CHECK(w.app->kill("reader"));
    w.sim.advance(1s);
    CHECK(w.book.log.take_text() == "1:asked");
    r.cast(spin{});
    CHECK(w.sim.run_until([&] { return w.book.begun == 2; }));
    w.sim.advance(1s);
    CHECK(w.book.log.text().empty());
    CHECK(w.app->stop().zombies.empty());
    CHECK(w.book.log.text() == "2:asked");
  }
}

// --- real threads -----------------------------------------------------------------------------------------------------

namespace {

struct lent {
  std::latch begun{1};
  std::latch go_on{1};
  std::latch answered{1};
  std::string thread;
};
struct block_here {
  lent* in;
};
struct still_there {
  using reply = bool;
};
struct borrower : process<borrower, block_here, still_there, spin> {
  explicit borrower(context& self) : self_{self} {}
  void on(const block_here& m) {
    self_.offload(
        [in = m.in] {
          char name[16]{};
          ::pthread_getname_np(::pthread_self(), name, sizeof name);
          in->thread = name;
          in->begun.count_down();
          in->go_on.wait();
          return 1;
        },
        1h, [in = m.in](result<int>) { in->answered.count_down(); });
  }
  bool on(const still_there&) { return true; }
  bool on(const spin&) {
    const auto token = self_.stop_token();
    while (!token.stop_requested()) std::this_thread::yield();
    return true;
  }

 private:
  context& self_;
};

application_options quiet() {
  application_options o;
  o.workers = 2;
  o.hosts = 2;
  o.sinks = {[](const report&) {}};
  return o;
}

}  // namespace

TEST_CASE("offload: on real threads the host goes on while a function blocks on a named thread") {
  application app{{.name = "top", .children = {child<borrower>("b")}}, quiet()};
  app.start();
  const auto b = app.find<borrower>("b");
  lent in;
  b.cast(block_here{&in});
  in.begun.wait();
  CHECK(b.call(still_there{}).value());
  CHECK(in.thread == "herald-io-1");
  CHECK(count_offloads(app).threads == 1);
  CHECK(count_offloads(app).running == 1);
  in.go_on.count_down();
  in.answered.wait();
  CHECK(app.stop().zombies.empty());
}

TEST_CASE("offload: on real threads, many functions of many processes all come back") {
  auto o = quiet();
  o.offload_threads = 3;
  supervisor top{.name = "top"};
  for (int i = 0; i < 8; ++i) top.children.push_back(child<borrower>(std::to_string(i), {.placement = spread}));
  application app{std::move(top), o};
  app.start();
  std::vector<std::unique_ptr<lent>> all;
  for (int i = 0; i < 200; ++i) {
    all.push_back(std::make_unique<lent>());
    all.back()->go_on.count_down();
    app.find<borrower>(std::to_string(i % 8)).cast(block_here{all.back().get()});
  }
  for (auto& in : all) in->answered.wait();
  CHECK(count_offloads(app).threads <= 3);
}

TEST_CASE("offload: a function that does not end is named, and the program goes on without it") {
  static lent in;  // outlives the application, which is left to the thread that stands on it
  auto o = quiet();
  o.offload_stop_limit = 10ms;
  {
    application app{{.name = "top", .children = {child<borrower>("b")}}, o};
    app.start();
    app.find<borrower>("b").cast(block_here{&in});
    in.begun.wait();
    CHECK(app.stop().zombies == std::vector<std::string>{"b (offloaded)"});
  }
  in.go_on.count_down();
}

TEST_CASE("stop_token: on real threads a handler that looks at its token ends with the application") {
  for (const auto where : {together, own_thread}) {
    auto o = quiet();
    application app{{.name = "top", .children = {child<borrower>("b", {.shutdown = infinity, .placement = where})}}, o};
    app.start();
    app.find<borrower>("b").cast(spin{});
    CHECK(app.stop().zombies.empty());
  }
}
