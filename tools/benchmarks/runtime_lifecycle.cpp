// Herald: starting, stopping and restarting processes, and what they weigh. Mirrors caf_lifecycle.cpp.
#include <malloc.h>

#include <stdexcept>

#include "runtime.hpp"
#include "starter.hpp"

namespace bench::runtime {

namespace {

using namespace std::chrono_literals;

struct add {
  std::int64_t value;
  using reply = std::int64_t;
};

struct counter : herald::process<counter, add> {
  struct args {};
  counter(herald::context&, args) {}
  std::int64_t on(const add& m) { return sum_ += m.value; }

 private:
  std::int64_t sum_ = 0;
};

/// Children with a spec and a name of their own each, started and stopped in order.
herald::supervisor many(std::int64_t children) {
  herald::supervisor top{.name = "many"};
  top.children.reserve(static_cast<std::size_t>(children));
  for (std::int64_t i = 0; i < children; ++i) top.children.push_back(herald::child<counter>(std::to_string(i), {}));
  return top;
}

/// An application with a dynamic supervisor, and the process that fills it.
class crowd {
 public:
  explicit crowd(std::int64_t children)
      : done_{children},
        app_{
            {.name = "crowd",
             .children = {herald::dynamic<counter>("children"), herald::child<starter<counter>>("starter", {children, &done_})}},
            size_of_application()} {
    app_.start();
  }
  void start_children() {
    app_.find<starter<counter>>("starter").cast(fill{app_.find_supervisor("children")});
    done_.wait();
  }
  herald::application& app() { return app_; }

 private:
  countdown done_;
  herald::application app_;
};

std::int64_t settled_bytes(herald::application& app) {
  app.flush_reports();
  ::malloc_trim(0);
  return resident_bytes();
}

sample time_of_stop(herald::application& app) {
  const stopwatch watch;
  app.stop();
  auto result = finished(watch);
  result.value = result.wall_s * 1e3;
  return result;
}

}  // namespace

sample spawn(std::int64_t children) {
  crowd all{children};
  const stopwatch watch;
  all.start_children();
  return million_per_second(watch, static_cast<double>(children));
}

sample spawn_static(std::int64_t children) {
  herald::application app{many(children), size_of_application()};
  const stopwatch watch;
  app.start();
  return million_per_second(watch, static_cast<double>(children));
}

sample stop(std::int64_t children) {
  crowd all{children};
  all.start_children();
  return time_of_stop(all.app());
}

sample stop_static(std::int64_t children) {
  herald::application app{many(children), size_of_application()};
  app.start();
  return time_of_stop(app);
}

sample bytes_per_process(std::int64_t processes) {
  crowd all{processes};
  const auto before = settled_bytes(all.app());
  const stopwatch watch;
  all.start_children();
  auto result = finished(watch);
  result.value = static_cast<double>(settled_bytes(all.app()) - before) / static_cast<double>(processes);
  return result;
}

sample bytes_per_static_process(std::int64_t processes) {
  ::malloc_trim(0);
  const auto before = resident_bytes();
  const stopwatch watch;
  herald::application app{many(processes), size_of_application()};
  app.start();
  auto result = finished(watch);
  result.value = static_cast<double>(settled_bytes(app) - before) / static_cast<double>(processes);
  return result;
}

namespace {

struct crash {};

/// What the incarnations of the crashing process leave behind for the benchmark.
struct ledger {
  std::atomic<std::int64_t> crashed_at{0};
  std::vector<double> restarts_us;
  countdown done{0};
};

struct fragile : herald::process<fragile, crash, add> {
  struct args {
    ledger* book;
  };
  fragile(herald::context& self, args a) : book_{a.book} {
    if (self.incarnation() > 1) book_->restarts_us.push_back(static_cast<double>(now_ns() - book_->crashed_at) / 1e3);
    book_->done.hit();
  }
  void on(const crash&) {
    book_->crashed_at = now_ns();
    throw std::runtime_error{"crash"};
  }
  std::int64_t on(const add& m) { return sum_ += m.value; }

 private:
  ledger* book_;
  std::int64_t sum_ = 0;
};

}  // namespace

sample restart(std::int64_t rounds, double fraction) {
  ledger book;
  book.done.reset(1);
  herald::application app{
      {.name = "restarts", .intensity = {1'000'000, 1s}, .children = {herald::child<fragile>("fragile", {&book})}},
      size_of_application()};
  app.start();
  const auto one = app.find<fragile>("fragile");
  const stopwatch watch;
  for (std::int64_t round = 0; round < rounds; ++round) {
    book.done.reset(1);
    one.cast(crash{});
    book.done.wait();
    (void)one.call(add{1}).value();  // it works again, so the next crash is not two in a row
  }
  auto result = finished(watch);
  result.value = percentile(book.restarts_us, fraction);
  return result;
}

}  // namespace bench::runtime
