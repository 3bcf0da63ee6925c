#include <cstdio>
#include <string>

#include <herald/pubsub.hpp>
#include <herald/runtime.hpp>

struct device {
  std::string name;
  bool away = false;
};
struct pause_typing {};

/// One connection of a user. However it ends, it is not there any more.
struct session : herald::process<session, pause_typing> {
  struct args { std::string user; device with; };
  session(herald::context& self, args a) : online_{self, "online"}, user_{a.user} {
    ref_ = online_.track(self, "room:1", user_, a.with).value();
  }
  void on(herald::context& self, const pause_typing&) {
    ref_ = online_.update(self, "room:1", user_, [](device d) { return d.away = true, d; }).value();
  }
 private:
  herald::presence<device> online_;
  std::string user_;
  herald::presence_ref ref_;
};

/// Follows who is in the room: subscribes, then lists, and misses nothing in between.
struct room : herald::process<room, herald::presence_diff<device>> {
  explicit room(herald::context& self) : online_{self, "online"} {
    herald::subscribe(self, online_, "room:1");
    view_.sync(online_.list("room:1").value());
  }
  void on(const herald::presence_diff<device>& d) {
    if (!view_.apply(d)) view_.sync(online_.list(d.topic).value());      // changes were lost: begin anew
    for (const auto& e : d.joins) std::printf("+ %s (%s%s)\n", e->key.c_str(), e->meta.name.c_str(), e->meta.away ? ", away" : "");
    for (const auto& e : d.leaves) std::printf("- %s (%s)\n", e->key.c_str(), e->meta.name.c_str());
    std::printf("  here now:");
    for (const auto& [user, devices] : view_.keys()) std::printf(" %s x%zu", user.c_str(), devices.size());
    std::printf("\n");
  }
 private:
  herald::presence<device> online_;
  herald::presence_view<device> view_;
};

int main() {
  herald::simulation sim{1};                                             // so that it prints the same on any machine
  herald::application_options options;
  options.simulation = &sim;
  options.sinks = {[](const herald::report&) {}};
  herald::application app{{.name = "chat", .children = {
    herald::presence_tracker<device>("online"),                          // before those who use it
    herald::child<room>("room"),
    herald::child<session>("phone", {"alice", {"phone"}}, {.restart = herald::temporary}),
    herald::child<session>("laptop", {"alice", {"laptop"}}, {.restart = herald::temporary}),
    herald::child<session>("desk", {"bob", {"desk"}}, {.restart = herald::temporary})}}, options};
  app.start();
  app.find<session>("laptop").cast(pause_typing{});
  sim.run();
  app.root().kill_child("phone").value();                                // no goodbye
  sim.run();
  const herald::presence<device> online{app, "online"};
  std::printf("listed: %zu, alice: %zu\n", online.count("room:1").value(), online.count("room:1", "alice").value());
}
