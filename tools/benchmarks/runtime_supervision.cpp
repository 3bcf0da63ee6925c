// Herald: what supervision costs when something happens: a group's restart, and the notice of an end.
#include <atomic>
#include <stdexcept>

#include "runtime.hpp"
#include "runtime_environment.hpp"

namespace bench::runtime {

namespace {

using namespace std::chrono_literals;

struct crash {};
struct touch {
  using reply = std::int64_t;
};

/// What the members of a group leave behind for the benchmark.
struct roll_call {
  std::atomic<std::int64_t> crashed_at{0};
  std::vector<double> restarts_us;
  countdown done{0};
};

struct sibling : herald::process<sibling, crash, touch> {
  struct args {
    roll_call* book = nullptr;
    bool last = false;
  };
  sibling(herald::context& self, args a) : book_{a.book} {
    if (!a.last) return;
    if (self.incarnation() > 1) book_->restarts_us.push_back(static_cast<double>(now_ns() - book_->crashed_at) / 1e3);
    book_->done.hit();
  }
  void on(const crash&) {
    book_->crashed_at = now_ns();
    throw std::runtime_error{"crash"};
  }
  std::int64_t on(const touch&) { return ++touched_; }

 private:
  roll_call* book_;
  std::int64_t touched_ = 0;
};

}  // namespace

sample one_for_all(std::int64_t siblings, std::int64_t rounds) {
  roll_call book;
  book.done.reset(1);
  herald::supervisor group{.name = "group", .strategy = herald::one_for_all, .intensity = {1'000'000, 1s}};
  for (std::int64_t i = 0; i < siblings; ++i)
    group.children.push_back(herald::child<sibling>(std::to_string(i), {&book, i + 1 == siblings}));
  herald::application app{{.name = "groups", .children = {group}}, size_of_application()};
  app.start();
  const auto one = app.find<sibling>("group/" + std::to_string(siblings / 2));
  const stopwatch watch;
  for (std::int64_t round = 0; round < rounds; ++round) {
    book.done.reset(1);
    one.cast(crash{});
    book.done.wait();
    (void)one.call(touch{}).value();  // it works again, so the next crash is not two in a row
  }
  auto result = finished(watch);
  result.value = percentile(book.restarts_us, 0.5);
  return result;
}

namespace {

struct end_now {};
struct watch_it {};

struct obituary {
  std::atomic<std::int64_t> ended_at{0};
  std::vector<double> notices_us;
  countdown done{0};
};

struct mortal : herald::process<mortal, end_now> {
  struct args {
    obituary* book;
  };
  mortal(herald::context& self, args a) : self_{self}, book_{a.book} {}
  void on(const end_now&) {
    book_->ended_at = now_ns();
    self_.stop();
  }

 private:
  herald::context& self_;
  obituary* book_;
};

struct watcher : herald::process<watcher, watch_it, herald::down> {
  struct args {
    obituary* book;
  };
  watcher(herald::context& self, args a) : self_{self}, book_{a.book} {}
  void on(const watch_it&) {
    const auto who = self_.find<mortal>("mortal");
    self_.monitor(herald::incarnation_ref{who, ++life_});
    who.cast(end_now{});
  }
  void on(const herald::down&) {
    book_->notices_us.push_back(static_cast<double>(now_ns() - book_->ended_at) / 1e3);
    book_->done.hit();
  }

 private:
  herald::context& self_;
  obituary* book_;
  std::uint32_t life_ = 0;
};

}  // namespace

sample monitor_down(std::int64_t rounds) {
  obituary book;
  herald::application app{{.name = "monitors",
                           .intensity = {1'000'000, 1s},
                           .children = {herald::child<mortal>("mortal", {&book}), herald::child<watcher>("watcher", {&book})}},
                          size_of_application()};
  app.start();
  const auto one = app.find<watcher>("watcher");
  const stopwatch watch;
  for (std::int64_t round = 0; round < rounds; ++round) {
    book.done.reset(1);
    one.cast(watch_it{});
    book.done.wait();
  }
  auto result = finished(watch);
  result.value = percentile(book.notices_us, 0.5);
  return result;
}

}  // namespace bench::runtime
