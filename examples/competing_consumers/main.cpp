// Work that several share: each job goes to exactly one of the group, to another when one is gone. Who only watches gets
// all of them.

#include <atomic>
#include <cstdio>
#include <map>
#include <string>
#include <thread>

#include <herald/pubsub.hpp>
#include <herald/runtime.hpp>

struct job {
  int number = 0;
};

int main() {
  std::map<std::string, std::atomic<int>> done{};
  std::atomic<int> watched{0};
  const auto worker = [&](const std::string& name) {
    auto& count = done[name];
    return herald::subscriber("jobs", [&count](const job&) { ++count; },
                              {.name = name, .group = herald::group_policy::round_robin("workers"), .placement = herald::spread});
  };
  herald::application app{{.name = "works", .children = {
      worker("one"), worker("two"), worker("three"), herald::subscriber("jobs", [&](const job&) { ++watched; }, {.name = "watcher"})}}};
  app.start();
  const auto jobs = herald::bus{app}.topic("jobs").value();
  auto hand_out = [&, all = 0](int count) mutable {
    for (int i = 0; i < count; ++i) jobs.broadcast(job{++all});
    const auto sum = [&] {
      int n = 0;
      for (const auto& [name, count_of] : done) n += count_of;
      return n;
    };
    while (sum() != all || watched != all) std::this_thread::yield();
    std::printf("%d jobs:", all);
    for (const auto* name : {"one", "two", "three"}) std::printf(" %s %d", name, done[name].load());
    std::printf("; the watcher saw %d\n", watched.load());
  };
  hand_out(9);
  app.root().terminate_child("two").value();
  std::printf("two goes home\n");
  hand_out(6);
}
