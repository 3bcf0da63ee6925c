#pragma once
// What the tests of topics share: an application in a simulation, and a subscriber that does as it is told.

#include <functional>
#include <map>
#include <string>
#include <vector>

#include <herald/pubsub.hpp>
#include <herald/runtime.hpp>

namespace pubsub_test {

struct tick {
  int number = 0;
  int publisher = 0;
};
struct text {
  std::string words;
};
/// Runs a function inside the process, as a handler.
struct run_inside {
  using reply = void;
  std::function<void(herald::context&)> code;
};
struct crash_now {};

/// What subscribers saw; outlives their incarnations. One thread at a time looks (simulation), or after the end.
struct seen {
  std::vector<int> numbers;
  std::vector<int> publishers;
  std::vector<std::string> words;
  std::vector<std::string> topics;
  std::vector<std::string> subscriptions;
  std::vector<std::string> keys;
  std::vector<std::uint64_t> missed;
  std::vector<herald::any_ref> from;
  int inits = 0;
};

/// Subscribes in init as its arguments say, then as it is told.
struct listener : herald::process<listener, tick, text, run_inside, crash_now> {
  struct args {
    seen* into = nullptr;
    std::function<void(herald::context&)> init{};
    std::function<void(herald::context&, const tick&)> on_tick{};
  };
  listener(herald::context& self, args a) : a_{std::move(a)} {
    ++a_.into->inits;
    if (a_.init) a_.init(self);
  }
  void on(herald::context& self, const tick& t) {
    a_.into->numbers.push_back(t.number);
    a_.into->publishers.push_back(t.publisher);
    note(self);
    if (a_.on_tick) a_.on_tick(self, t);
  }
  void on(herald::context& self, const text& t) {
    a_.into->words.push_back(t.words);
    note(self);
  }
  void on(herald::context& self, const run_inside& r) { r.code(self); }
  void on(const crash_now&) { throw std::runtime_error{"told to"}; }

 private:
  void note(herald::context& self) {
    const auto source = herald::topic_of(self);
    a_.into->topics.emplace_back(source.topic);
    a_.into->subscriptions.emplace_back(source.subscription);
    a_.into->keys.emplace_back(source.key);
    a_.into->from.push_back(source.publisher);
    a_.into->missed.push_back(herald::missed_of(self));
  }
  args a_;
};

/// Does something in the process and waits for it.
inline void inside(const herald::ref<listener>& who, std::function<void(herald::context&)> code) {
  who.call(run_inside{std::move(code)}, std::chrono::hours{1}).value();
}

inline herald::application_options simulated(herald::simulation& sim, unsigned hosts = 3,
                                             std::vector<herald::report>* reports = nullptr) {
  herald::application_options o;
  o.simulation = &sim;
  o.hosts = hosts;
  o.sinks = {[reports](const herald::report& r) {
    if (reports != nullptr) reports->push_back(r);
  }};
  return o;
}

/// Listeners named p0, p1, ... spread over the hosts, with room for their crashes.
inline herald::supervisor crowd(std::vector<seen>& logs, std::function<void(herald::context&)> init = {}) {
  herald::supervisor tree{.name = "crowd", .intensity = {1'000'000, std::chrono::milliseconds{1000}}};
  for (std::size_t i = 0; i < logs.size(); ++i)
    tree.children.push_back(herald::child<listener>("p" + std::to_string(i), {.into = &logs[i], .init = init},
                                                    {.placement = herald::spread}));
  return tree;
}

inline std::vector<int> up_to(int n) {
  std::vector<int> all;
  for (int i = 0; i < n; ++i) all.push_back(i);
  return all;
}

/// A crowd of listeners that runs in a simulation with three hosts.
struct world {
  explicit world(std::size_t count, std::uint64_t seed = 1, std::function<void(herald::context&)> init = {})
      : sim{seed}, logs(count), app{crowd(logs, std::move(init)), simulated(sim, 3, &reports)} {
    app.start();
  }
  [[nodiscard]] herald::ref<listener> p(std::size_t i) const { return app.find<listener>("p" + std::to_string(i)); }
  [[nodiscard]] std::vector<herald::subscriber_info> who(std::string_view topic) const { return herald::bus{app}.subscribers(topic).value(); }
  void publish(int number, std::string_view topic = "t") const { herald::bus{app}.broadcast(topic, tick{number}).value(); }

  herald::simulation sim;
  std::vector<herald::report> reports;
  std::vector<seen> logs;
  herald::application app;
};

}  // namespace pubsub_test
