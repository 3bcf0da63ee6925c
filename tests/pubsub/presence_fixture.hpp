#pragma once
// What the tests of presences share: processes that track and follow, and a simulation around them.

#include <string>
#include <vector>

#include <herald/presence_view.hpp>

#include "fixture.hpp"

namespace presence_test {

using namespace pubsub_test;

struct device {
  std::string name;
  bool away = false;
};
using online_t = herald::presence<device>;
using diff_t = herald::presence_diff<device>;

/// What one process has seen; outlives its incarnations.
struct watched {
  std::vector<diff_t> diffs;
  herald::presence_view<device> view;
  int resyncs = 0;
};

/// Tracks, follows, crashes, as it is told.
struct member : herald::process<member, diff_t, run_inside, crash_now> {
  struct args {
    watched* into = nullptr;
    std::function<void(herald::context&)> init{};
    bool follows = false;
  };
  member(herald::context& self, args a) : a_{std::move(a)} {
    if (a_.init) a_.init(self);
  }
  void on(herald::context& self, const diff_t& d) {
    a_.into->diffs.push_back(d);
    if (!a_.follows || a_.into->view.apply(d)) return;
    ++a_.into->resyncs;
    if (const auto now = online_t{self, "online"}.list(d.topic)) a_.into->view.sync(*now);
  }
  void on(herald::context& self, const run_inside& r) { r.code(self); }
  void on(const crash_now&) { throw std::runtime_error{"told to"}; }

 private:
  args a_;
};

inline herald::supervisor members(std::vector<watched>& logs, herald::presence_options options = {}, bool follows = false,
                                  std::function<void(herald::context&)> init = {}) {
  herald::supervisor tree{.name = "root", .intensity = {1'000'000, std::chrono::milliseconds{1000}}};
  tree.children.push_back(herald::presence_tracker<device>("online", std::move(options)));
  herald::supervisor all{.name = "all", .intensity = {1'000'000, std::chrono::milliseconds{1000}}};
  for (std::size_t i = 0; i < logs.size(); ++i)
    all.children.push_back(herald::child<member>("m" + std::to_string(i), {.into = &logs[i], .init = init, .follows = follows},
                                                 {.placement = herald::spread}));
  tree.children.emplace_back(std::move(all));
  return tree;
}

struct room {
  explicit room(std::size_t count, std::uint64_t seed = 1, herald::presence_options options = {}, bool follows = false,
                std::function<void(herald::context&)> init = {})
      : sim{seed}, logs(count), app{members(logs, std::move(options), follows, std::move(init)), simulated(sim, 3, &reports)},
        online{app, "online"} {
    app.start();
  }
  [[nodiscard]] herald::ref<member> m(std::size_t i) const { return app.find<member>("all/m" + std::to_string(i)); }
  void inside(std::size_t i, std::function<void(herald::context&)> code) const {
    m(i).call(run_inside{std::move(code)}, std::chrono::hours{1}).value();
  }
  herald::presence_ref track(std::size_t i, const std::string& topic, const std::string& key, device d = {}) const {
    herald::presence_ref out;
    inside(i, [&](herald::context& self) { out = online.track(self, topic, key, d).value(); });
    return out;
  }
  void watch(std::size_t i, const std::string& topic) const {
    inside(i, [&](herald::context& self) { subscribe(self, online, topic); });
  }
  void quiet() {
    static_cast<void>(sim.run_until([] { return false; }));
  }
  /// "key/name" of each who is there, in order.
  [[nodiscard]] std::vector<std::string> who(const std::string& topic) const {
    std::vector<std::string> out;
    for (const auto& e : online.list(topic).value()) out.push_back(e->key + "/" + e->meta.name);
    return out;
  }

  herald::simulation sim;
  std::vector<herald::report> reports;
  std::vector<watched> logs;
  herald::application app;
  online_t online;
};

}  // namespace presence_test
