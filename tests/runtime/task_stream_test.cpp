// Streams of tasks: so many at a time, in order or as they come, with limits; driven by a handler under many seeds, and by
// plain threads.

#include <algorithm>
#include <numeric>

#include "task_support.hpp"

using namespace herald;
using namespace herald::test;
using namespace std::chrono_literals;

namespace {

struct mill : world {
  explicit mill(std::uint64_t seed, task_supervisor_options o = {}) : world{seed} {
    start({.name = "top", .intensity = {100, 1s}, .children = {task_supervisor("jobs", o), child<owner>("a")}});
    jobs = app->find_supervisor("jobs");
  }
  ~mill() {
    CHECK(app->dead_letters() == 0);
    app.reset();
  }
  void in(std::function<void(context&)> code) { app->find<owner>("a").cast(script{std::move(code)}); }
  supervisor_ref jobs;
  std::vector<int> got;
  std::string over;
  int running = 0, most = 0, begun = 0;

  /// The element's square, after so long.
  auto square(std::function<std::chrono::nanoseconds(int)> takes) {
    return [this, takes](int i) {
      ++begun;
      most = std::max(most, ++running);
      simulation::stall(takes(i));
      --running;
      return i * i;
    };
  }
  [[nodiscard]] auto note() {
    return [this](const result<int>& r) { got.push_back(r ? *r : -1); };
  }
  [[nodiscard]] auto end() {
    return [this](const result<void>& r) { over += r ? "over" : std::string{r.error().name()}; };
  }
};

std::vector<int> numbers(int n) {
  std::vector<int> all(static_cast<std::size_t>(n));
  std::iota(all.begin(), all.end(), 1);
  return all;
}
std::vector<int> squares(int n) {
  auto all = numbers(n);
  for (auto& i : all) i *= i;
  return all;
}

const stream_options four{.max_concurrency = 4, .task = {.placement = own_thread}};

stream_options with(stream_options o, std::function<void(stream_options&)> change) {
  change(o);
  return o;
}

}  // namespace

TEST_CASE("L176: stream: answers come in order, and never more tasks than allowed run") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    mill w{seed};
    w.in([&](context& self) {
      async_stream(self, w.jobs, numbers(20), w.square([](int i) { return (i * 7 % 5) * 10ms; }), four, w.note(), w.end());
    });
    w.sim.advance(5s);
    CHECK(w.got == squares(20));
    CHECK(w.over == "over");
    CHECK(w.most <= 4);
    CHECK(w.counts("jobs").active == 0);
  }
}

TEST_CASE("L177: stream: unordered answers come as they are ready, each once") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    mill w{seed};
    w.in([&](context& self) {
      async_stream(self, w.jobs, numbers(12), w.square([](int i) { return i == 1 ? 500ms : 10ms; }),
                   with(four, [](auto& o) { o.ordered = false; }), w.note(), w.end());
    });
    w.sim.advance(5s);
    REQUIRE(w.got.size() == 12);
    CHECK(w.got.back() == 1);  // the slow first one held nobody up
    std::sort(w.got.begin(), w.got.end());
    CHECK(w.got == squares(12));
    CHECK(w.over == "over");
    CHECK(w.most <= 4);
  }
}

TEST_CASE("L180: stream: an ordered one behind a slow task waits, and keeps no more than its bound") {
  mill w{3};
  w.in([&](context& self) {
    async_stream(self, w.jobs, numbers(12), w.square([](int i) { return i == 1 ? 500ms : 1ms; }), four, w.note(), w.end());
  });
  w.sim.advance(400ms);
  CHECK(w.got.empty());
  CHECK(w.begun == 4);
  w.sim.advance(1s);
  CHECK(w.got == squares(12));
}

TEST_CASE("L178: stream: a task over its limit ends the stream, or only itself, as it is told") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    for (const auto how : {stream_timeout_t::end_stream, stream_timeout_t::kill_task}) {
      mill w{seed};
      w.in([&](context& self) {
        async_stream(self, w.jobs, numbers(6), w.square([](int i) { return i == 3 ? 10s : 1ms; }),
                     with(four, [&](auto& o) {
                       o.timeout = 100ms;
                       o.on_timeout = how;
                     }),
                     w.note(), w.end());
      });
      w.sim.advance(3s);
      if (how == stream_timeout_t::end_stream) {
        CHECK(w.got == std::vector<int>{1, 4});
        CHECK(w.over == "timeout");
      } else {
        CHECK(w.got == std::vector<int>{1, 4, -1, 16, 25, 36});
        CHECK(w.over == "over");
      }
      CHECK(w.counts("jobs").active == 0);
      w.sim.advance(10s);
    }
  }
}

TEST_CASE("L179: stream: a failure is its element's answer, and comes with the element where that is wanted") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    mill w{seed};
    std::string text;
    w.in([&](context& self) {
      async_stream(
          self, w.jobs, std::vector<std::string>{"one", "two", "three"},
          [](context& me, const std::string& word) -> result<std::size_t> {
            if (word == "two") throw std::runtime_error{"boom"};
            if (word == "three" && callers(me).size() == 1) return error{errc::not_found, "no three"};
            return word.size();
          },
          {}, [&](const std::string& word, result<std::size_t> r) { text += word + ":" + (r ? std::to_string(*r) : std::string{r.error().name()}) + " "; },
          w.end());
    });
    w.sim.run();
    CHECK(text == "one:3 two:down three:not_found ");
    CHECK(w.over == "over");
  }
}

TEST_CASE("stream: whoever has enough says false, and the rest is stopped or never begun") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    mill w{seed};
    w.in([&](context& self) {
      async_stream(self, w.jobs, numbers(1000), w.square([](int) { return 10ms; }), four,
                   [&](const result<int>& r) {
                     w.got.push_back(*r);
                     return w.got.size() < 5;
                   },
                   w.end());
    });
    w.sim.advance(3s);
    CHECK(w.got == squares(5));
    CHECK(w.over == "over");
    CHECK(w.begun <= 12);
    CHECK(w.counts("jobs").active == 0);
  }
}

TEST_CASE("L182: stream: an empty range is over at once; no supervisor, or one that is full, ends the stream with that") {
  mill w{1, {.max_children = 2}};
  w.in([&](context& self) { async_stream(self, w.jobs, numbers(0), w.square([](int) { return 0ms; }), four, w.note(), w.end()); });
  w.sim.run();
  CHECK(w.over == "over");
  w.over.clear();
  w.in([&](context& self) {
    async_stream(self, supervisor_ref{}, numbers(3), w.square([](int) { return 0ms; }), four, w.note(), w.end());
  });
  w.sim.run();
  CHECK(w.over == "noproc");
  w.over.clear();
  w.in([&](context& self) { async_stream(self, w.jobs, numbers(9), w.square([](int) { return 1s; }), four, w.note(), w.end()); });
  w.sim.run();
  CHECK(w.over == "max_children");
  w.sim.advance(5s);
  CHECK(w.got.empty());
}

TEST_CASE("stream: it ends with its owner, and so do its tasks") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    mill w{seed};
    w.in([&](context& self) {
      async_stream(self, w.jobs, numbers(100), w.square([](int) { return 20ms; }), four, w.note(), w.end());
    });
    w.sim.advance(70ms);
    const auto begun = w.begun;
    CHECK(begun > 0);
    w.in([](context&) { throw std::runtime_error{"the owner ends"}; });
    w.sim.advance(3s);
    CHECK(w.begun <= begun + 4);
    CHECK(w.over.empty());
    CHECK(w.counts("jobs").active == 0);
  }
}

TEST_CASE("stream: a plain thread drives one by itself, with the same rules") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    mill w{seed};
    CHECK(async_stream(w.jobs, numbers(9), w.square([](int i) { return (i % 3) * 10ms; }), four, w.note()));
    CHECK(w.got == squares(9));
    CHECK(w.most <= 4);
    w.got.clear();
    CHECK(async_stream(w.jobs, numbers(9), w.square([](int i) { return i == 1 ? 300ms : 1ms; }),
                       with(four, [](auto& o) { o.ordered = false; }), w.note()));
    REQUIRE(w.got.size() == 9);
    CHECK(w.got.back() == 1);
    w.got.clear();
    const auto slow = w.square([](int i) { return i == 2 ? 2s : 1ms; });
    CHECK(async_stream(w.jobs, numbers(4), slow, with(four, [](auto& o) { o.timeout = 100ms; }), w.note()).is(errc::timeout));
    CHECK(w.got == squares(1));
    w.got.clear();
    CHECK(async_stream(w.jobs, numbers(4), slow, with(four, [](auto& o) {
                         o.timeout = 100ms;
                         o.on_timeout = stream_timeout_t::kill_task;
                       }),
                       w.note()));
    CHECK(w.got == std::vector<int>{1, -1, 9, 16});
    CHECK(async_stream(w.jobs, numbers(400), slow, four, [](const result<int>&) { return false; }));
    CHECK(async_stream(supervisor_ref{}, numbers(4), slow, four, w.note()).is(errc::noproc));
    CHECK(async_stream(supervisor_ref{w.app->root()}, numbers(4), slow, four, w.note()).is(errc::not_supported));
  }
}

TEST_CASE("L176: as many tasks at a time as the application has hosts, when nothing else is said") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    mill w{seed};
    w.in([&](context& self) {
      async_stream(self, w.jobs, numbers(20), w.square([](int) { return 10ms; }), {.task = {.placement = own_thread}}, w.note(),
                   w.end());
    });
    w.sim.advance(1s);
    CHECK(w.over == "over");
    CHECK(w.got == squares(20));
    CHECK(w.most == 3);  // hosts of a world
  }
}

namespace {

using errand = task_stream<std::vector<int>, std::function<int(int)>>;
struct run_errand {
  std::shared_ptr<errand> what;
};
/// Consumes streams that others have made.
struct consumer : process<consumer, run_errand> {
  struct args {
    mill* where = nullptr;
  };
  consumer(context& self, args a) : self_{self}, a_{a} {}
  void on(const run_errand& m) { std::move(*m.what).run(self_, a_.where->note(), a_.where->end()); }

 private:
  context& self_;
  args a_;
};

}  // namespace

TEST_CASE("L185: a stream that one process has made is consumed by another, or by a plain thread; its tasks are that one's") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    mill w{seed};
    REQUIRE(w.app->root().start_child(child<consumer>("other", {.where = &w}, {.placement = spread})));
    const auto other = w.app->find<consumer>("other");
    const auto made = std::make_shared<std::shared_ptr<errand>>();
    w.in([&, made](context&) {
      auto stream = std::make_shared<errand>(w.jobs, numbers(9), w.square([](int) { return 20ms; }), four);
      other.cast(run_errand{stream});
      *made = std::make_shared<errand>(w.jobs, numbers(3), w.square([](int) { return 1ms; }), four);
    });
    w.sim.run();
    CHECK(w.begun == 4);
    CHECK(w.app->kill("a"));  // who made it is of no consequence
    w.sim.advance(1s);
    CHECK(w.over == "over");
    CHECK(w.got == squares(9));
    w.got.clear();
    CHECK(std::move(**made).run(w.note()));
    CHECK(w.got == squares(3));
  }
}

TEST_CASE("L186: the report of a crashed task names its function and its label") {
  mill w{1};
  w.in([&](context& self) {
    static_cast<void>(async_nolink(self, w.jobs, [](context&) -> int { throw std::runtime_error{"no"}; }, {.label = "picture 7"}));
  });
  w.sim.run();
  const auto found = std::find_if(w.reports.begin(), w.reports.end(), [](const report& r) { return r.kind == report::crashed; });
  REQUIRE(found != w.reports.end());
  CHECK(found->label == "picture 7");
  CHECK(found->path.starts_with("jobs/"));
  CHECK(found->reason.text() == "std::runtime_error: no");
  REQUIRE(found->state);
  REQUIRE(found->state->items().size() == 1);
  CHECK(found->state->items()[0].key == "function");
  CHECK(found->state->items()[0].value.find("lambda") != std::string::npos);
}
