// What topics do beside publish and subscribe: two newsrooms whose buses are one, stories that browsers get as bytes encoded
// once for all of them, a trace from the author to every reader, a tap that sees everything, and a wire that is switched on
// only while somebody reads what it brings.

#include <any>
#include <cstdio>
#include <memory>
#include <string>

#include <herald/pubsub.hpp>
#include <herald/runtime.hpp>

struct story {
  std::string title;
};
/// A story as a browser wants it.
struct frame {
  std::shared_ptr<const std::string> bytes;
};
inline constexpr herald::typed_topic<story> news{"news"};

/// Its metadata tells the dispatcher that it wants bytes.
struct browser : herald::process<browser, story, frame> {
  struct args { std::string name; };
  browser(herald::context& self, args a) : name_{a.name} {
    herald::subscribe(self, news / herald::any_segment, {.metadata = std::string{"json"}});
  }
  void on(const story& s) { std::printf("  %s gets the story \"%s\"\n", name_.c_str(), s.title.c_str()); }
  void on(const frame& f) { std::printf("  %s gets %s\n", name_.c_str(), f.bytes->c_str()); }
 private:
  std::string name_;
};

/// Costs money while it is on.
struct wire : herald::process<wire, herald::wanted, herald::unwanted> {
  explicit wire(herald::context& self) { herald::watch_interest(self, "news:sports"); }
  void on(const herald::wanted& w) { std::printf("  the wire is on: somebody reads %s\n", w.topic.c_str()); }
  void on(const herald::unwanted& w) { std::printf("  the wire is off: nobody reads %s\n", w.topic.c_str()); }
};

herald::application_options simulated(herald::simulation& sim) {       // so that it prints the same on any machine
  herald::application_options options;
  options.simulation = &sim;
  options.sinks = {[](const herald::report&) {}};
  return options;
}

int main() {
  int encoded = 0;
  const herald::dispatcher fastlane{"fastlane", [&](herald::dispatch_call& call) {
    for (const auto& reader : call.entries()) {
      if (reader.metadata.has_value()) {
        call.send(reader, frame{call.encoded<std::string>([&] {
          ++encoded;
          return "{\"title\":\"" + call.event<story>()->title + "\"}";
        })});
      } else {
        call.deliver(reader);
      }
    }
  }};
  const auto desk = [](herald::context& self, const story& s) {
    const auto trace = herald::trace_of(self);                         // the author's, if there was one
    std::printf("  %s reads \"%s\"%s\n", self.path().c_str(), s.title.c_str(), trace ? (", trace " + trace.traceparent().substr(3, 32)).c_str() : "");
  };

  const auto net = std::make_shared<herald::loopback>();               // where a cluster's adapter would stand
  herald::simulation in_berlin{1}, in_paris{2};
  herald::application berlin{{.name = "berlin", .children = {
    herald::pubsub("", {.adapter = net->adapter("berlin"), .dispatchers = {fastlane}}),
    herald::child<browser>("ann", {"ann"}), herald::child<browser>("ben", {"ben"}),
    herald::subscriber(news / herald::any_segment, desk, {.name = "desk"})}}, simulated(in_berlin)};
  herald::application paris{{.name = "paris", .children = {
    herald::pubsub("", {.adapter = net->adapter("paris"), .dispatchers = {fastlane}}),
    herald::child<wire>("wire"),
    herald::subscriber(news / "eu", desk, {.name = "bureau"})}}, simulated(in_paris)};
  berlin.start();
  paris.start();
  const herald::bus bus{paris};
  const auto settle = [&] {
    in_paris.run();
    in_berlin.run();
  };

  std::printf("paris publishes to both newsrooms, by the fastlane\n");
  {
    const herald::trace_scope trace{herald::trace_context::begin(2024, 1, 1)};
    herald::broadcast(bus, news / "eu", {"A treaty"}, fastlane).value();
  }
  settle();
  std::printf("encoded %d time\n", encoded);

  std::printf("paris publishes to berlin alone\n");
  herald::direct_broadcast(bus, "berlin", news / "local", {"A new bridge"}).value();
  settle();

  std::printf("somebody in paris turns to the sports\n");
  auto fan = paris.spawn(herald::subscriber(news / "sports", [](const story&) {}, {.name = "fan"})).value();
  settle();
  fan.stop().value();
  settle();

  std::printf("a tap in paris: a reader like others\n");
  const auto tap = bus.subscribe("**", herald::together, [](const herald::tapped& t) {
    if (const auto* s = t.get_if<story>()) std::printf("  on %s: \"%s\"\n", std::string{t.topic}.c_str(), s->title.c_str());
  }).value();
  herald::local_broadcast(bus, news / "sports", {"Nobody reads this"}).value();
  settle();
}
