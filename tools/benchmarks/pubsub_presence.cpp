// Herald: what coming and going costs beside many who are present.
#include <string>

#include <herald/presence.hpp>
#include <herald/pubsub.hpp>

#include "pubsub.hpp"
#include "starter.hpp"

namespace bench::pubsub {

namespace {

using namespace std::chrono_literals;

struct device {
  std::int64_t number = 0;
};

/// Fills the topic with other keys.
struct fill_up {
  std::int64_t count;
  using reply = void;
};
struct come_and_go {
  std::int64_t times;
  using reply = void;
};

struct visitor : herald::process<visitor, fill_up, come_and_go> {
  explicit visitor(herald::context& self) : online_{self, "online"} {}
  void on(herald::context& self, const fill_up& m) {
    for (std::int64_t i = 0; i < m.count; ++i)
      static_cast<void>(online_.track(self, "room", "user " + std::to_string(i), device{i}).value());
  }
  void on(herald::context& self, const come_and_go& m) {
    for (std::int64_t i = 0; i < m.times; ++i) {
      static_cast<void>(online_.track(self, "room", "visitor", device{i}).value());
      online_.untrack(self, "room", "visitor").value();
    }
  }

 private:
  herald::presence<device> online_;
};

}  // namespace

sample presence_track(std::int64_t present, std::int64_t times) {
  herald::application app{{.name = "room",
                           .children = {herald::presence_tracker<device>("online"), herald::child<visitor>("crowd"),
                                        herald::child<visitor>("visitor")}},
                          size_of_application()};
  app.start();
  app.find<visitor>("crowd").call(fill_up{present}, 120s).value();
  const auto one = app.find<visitor>("visitor");
  const stopwatch watch;
  one.call(come_and_go{times}, 120s).value();
  return ns_per(watch, static_cast<double>(times));
}

}  // namespace bench::pubsub
