// Herald: what publishing costs beside patterns.
#include <herald/pubsub.hpp>

#include "pubsub.hpp"
#include "runtime_environment.hpp"

namespace bench::pubsub {

namespace {

using namespace std::chrono_literals;

struct quote {
  std::int64_t value;
  bool last;
};
struct take_patterns {
  std::int64_t count;
  bool one_matches;
  using reply = void;
};

/// Subscribed to many patterns, of which at most one matches "quotes:eu:acme".
struct matcher : herald::process<matcher, quote, take_patterns> {
  struct args {
    countdown* done;
  };
  matcher(herald::context&, args a) : done_{a.done} {}
  void on(herald::context& self, const take_patterns& m) {
    const auto others = m.count - (m.one_matches ? 1 : 0);
    for (std::int64_t i = 0; i < others; ++i) herald::subscribe<quote>(self, "quotes:" + std::to_string(i) + ":*");
    if (m.one_matches) herald::subscribe<quote>(self, "quotes:*:acme");
  }
  void on(const quote& q) {
    sum_ += q.value;
    if (q.last) done_->hit();
  }

 private:
  std::int64_t sum_ = 0;
  countdown* done_;
};

struct market {
  market(std::int64_t patterns, bool one_matches)
      : app{{.name = "market", .children = {herald::child<matcher>("matcher", {&done})}}, size_of_application()} {
    app.start();
    app.find<matcher>("matcher").call(take_patterns{patterns, one_matches}, 60s).value();
  }
  countdown done{0};
  herald::application app;
};

}  // namespace

sample one_pattern_matches(std::int64_t patterns, std::int64_t publishes) {
  market all{patterns, true};
  const auto to = herald::bus{all.app}.topic("quotes:eu:acme").value();
  const stopwatch watch;
  // In portions that an inbox takes.
  constexpr std::int64_t portion = 10'000;
  for (std::int64_t sent = 0; sent < publishes; sent += portion) {
    all.done.reset(1);
    for (std::int64_t i = 1; i <= portion; ++i) to.broadcast(quote{1, i == portion});
    all.done.wait();
  }
  return ns_per(watch, static_cast<double>(publishes));
}

sample publish_to_nobody(std::int64_t patterns, std::int64_t publishes) {
  market all{patterns, false};
  const auto to = herald::bus{all.app}.topic("nobody:wants:this").value();
  const stopwatch watch;
  for (std::int64_t i = 0; i < publishes; ++i) to.broadcast(quote{i, false});
  return ns_per(watch, static_cast<double>(publishes));
}

}  // namespace bench::pubsub
