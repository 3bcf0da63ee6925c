#pragma once
// Herald: processes on all hosts that subscribe to one topic, and how to know that they have handled what was published.
#include <herald/engine/core.hpp>
#include <herald/pubsub.hpp>
#include <string>
#include <vector>

#include "pubsub.hpp"
#include "starter.hpp"

namespace bench::pubsub {

using namespace std::chrono_literals;

struct beat {
  std::int64_t value;
  bool last;
};

/// Touches its state, as every handler here does.
struct member : herald::process<member, beat> {
  struct args {};
  member(herald::context& self, args) { herald::subscribe<beat>(self, "beats"); }
  void on(const beat& b) { sum_ += b.value; }

 private:
  std::int64_t sum_ = 0;
};

struct join {
  using reply = void;
};

/// Subscribes after all others of its host, so it is the last one there to be called.
struct sentinel : herald::process<sentinel, beat, join> {
  struct args {
    countdown* done;
  };
  sentinel(herald::context&, args a) : done_{a.done} {}
  void on(herald::context& self, const join&) { herald::subscribe<beat>(self, "beats"); }
  void on(const beat& b) {
    sum_ += b.value;
    if (b.last) done_->hit();
  }

 private:
  std::int64_t sum_ = 0;
  countdown* done_;
};

/// `count` processes of type P on all hosts, and a sentinel on each host.
template <class P>
class audience {
 public:
  explicit audience(std::int64_t count)
      : started_{count}, done_{0}, app_{tree(count), size_of_application()}, count_{count} {
    app_.start();
  }
  void enter() {
    if (count_ > 0) {
      app_.template find<starter<P>>("starter").cast(fill{app_.find_supervisor("members")});
      started_.wait();
    }
    for (int i = 0; i < hosts(); ++i) app_.template find<sentinel>("sentinel" + std::to_string(i)).call(join{}).value();
  }
  [[nodiscard]] herald::topic topic() const { return herald::bus{app_}.topic("beats").value(); }
  /// Publishes so often and waits until the sentinels have the last one.
  void publish(const herald::topic& to, std::int64_t times) {
    done_.reset(hosts());
    for (std::int64_t i = 1; i <= times; ++i) to.broadcast(beat{1, i == times});
    done_.wait();
  }
  [[nodiscard]] std::int64_t handled() {
    std::int64_t sum = 0;
    app_.inside().each_host([&](herald::engine::host& h) { sum += static_cast<std::int64_t>(h.handled()); });
    return sum;
  }
  [[nodiscard]] herald::application& app() { return app_; }
  [[nodiscard]] std::int64_t members() const { return count_ + hosts(); }
  [[nodiscard]] static int hosts() { return worker_count() * hosts_per_worker; }

 private:
  herald::supervisor tree(std::int64_t count) {
    herald::supervisor top{.name = "audience"};
    for (int i = 0; i < hosts(); ++i)
      top.children.push_back(herald::child<sentinel>("sentinel" + std::to_string(i), {&done_}, {.placement = herald::spread}));
    top.children.push_back(herald::dynamic<P>("members", {.placement = herald::spread}));
    top.children.push_back(herald::child<starter<P>>("starter", {count, &started_}));
    return top;
  }
  countdown started_;
  countdown done_;
  herald::application app_;
  std::int64_t count_;
};

}  // namespace bench::pubsub
