#pragma once
// Two applications whose buses a loop-back holds together, each in a simulation of its own.

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "fixture.hpp"

namespace pubsub_test {

/// An application in a simulation of its own, with listeners p0, p1, ... behind its bus's keeper.
struct node {
  node(std::size_t count, herald::bus_options options, std::string bus_name = {})
      : logs(count), app{tree(logs, std::move(options), std::move(bus_name)), simulated(sim, 3, &reports)} {
    app.start();
    sim.run();
  }
  static herald::supervisor tree(std::vector<seen>& logs, herald::bus_options options, std::string bus_name) {
    auto all = crowd(logs);
    all.children.insert(all.children.begin(), herald::pubsub(std::move(bus_name), std::move(options)));
    return all;
  }
  [[nodiscard]] herald::ref<listener> p(std::size_t i) const { return app.find<listener>("p" + std::to_string(i)); }
  [[nodiscard]] herald::bus b() const { return herald::bus{app}; }
  void wants(std::size_t i, std::string topic) const {
    inside(p(i), [topic = std::move(topic)](herald::context& self) { herald::subscribe<tick>(self, topic); });
  }

  herald::simulation sim{1};
  std::vector<herald::report> reports;
  std::vector<seen> logs;
  herald::application app;
};

struct two {
  std::shared_ptr<herald::loopback> net = std::make_shared<herald::loopback>();
  node one{2, {.adapter = net->adapter("one")}};
  node other{2, {.adapter = net->adapter("other")}};
  void run() {
    one.sim.run();
    other.sim.run();
  }
};

}  // namespace pubsub_test
