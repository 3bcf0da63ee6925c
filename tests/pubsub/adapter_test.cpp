// Buses that reach other nodes: the adapter interface, held together by the loop-back in one program; and what a bus is
// as a child of the tree.

#include <algorithm>
#include <atomic>
#include <memory>
#include <stdexcept>

#include <doctest/doctest.h>

#include "nodes_fixture.hpp"

using namespace herald;
using namespace pubsub_test;

namespace {

/// Fails as it is told, and notes what it is asked.
struct odd_adapter final : adapter {
  explicit odd_adapter(std::string node_name = "odd") : name{std::move(node_name)} {}
  [[nodiscard]] std::string_view node_name() const noexcept override { return name; }
  result<void> start(inlet&) override {
    ++starts;
    if (refuses_start) return error{pubsub_errc::adapter_failed, "no network today"};
    return {};
  }
  void stop() noexcept override { ++stops; }
  result<void> broadcast(std::string_view topic, const shared_event&) override {
    if (throws) throw std::runtime_error{"cable cut"};
    if (refuses) return error{pubsub_errc::adapter_failed, "link is down"};
    topics.emplace_back(topic);
    return {};
  }
  result<void> clear(std::string_view topic) override {
    if (refuses) return error{pubsub_errc::adapter_failed, "link is down"};
    topics.push_back("-" + std::string{topic});
    return {};
  }
  result<void> direct_broadcast(std::string_view node, std::string_view, const shared_event&) override {
    return error{pubsub_errc::unknown_node, "no node " + std::string{node}};
  }
  void interest(std::string_view topic, bool wanted) override {
    if (throws_on_interest && topic == "bad") throw std::runtime_error{"interest"};
    interests.push_back((wanted ? "+" : "-") + std::string{topic});
  }
  std::string name;
  bool refuses_start = false, refuses = false, throws = false, throws_on_interest = false;
  int starts = 0, stops = 0;
  std::vector<std::string> topics, interests;
};

}  // namespace

TEST_CASE("two buses held together by a loop-back are one: broadcasts reach both, local ones one") {
  two w;
  w.one.wants(0, "t");
  w.other.wants(0, "t");
  w.other.wants(1, "*");
  CHECK(w.net->nodes() == std::vector<std::string>{"one", "other"});
  CHECK(w.one.b().node_name() == "one");

  CHECK(w.one.b().broadcast("t", tick{1}));
  const auto handle = w.one.b().topic("t").value();
  CHECK(handle.broadcast(tick{2}));
  CHECK(w.one.b().local_broadcast("t", tick{3}));
  CHECK(handle.local_broadcast(tick{4}));
  inside(w.one.p(1), [](context& self) { CHECK(bus{self}.broadcast("t", tick{5})); });
  CHECK(w.other.b().broadcast("t", tick{6}));
  w.run();
  CHECK(w.one.logs[0].numbers == std::vector{1, 2, 3, 4, 5, 6});
  CHECK(w.other.logs[0].numbers == std::vector{1, 2, 5, 6});
  CHECK(w.other.logs[1].numbers == std::vector{1, 2, 5, 6});
  CHECK(w.other.logs[1].subscriptions[0] == "*");
  // A topic that nobody wants here is wanted there.
  w.other.wants(0, "elsewhere");
  CHECK(w.one.b().topic("elsewhere").value().broadcast(tick{7}));
  CHECK(w.one.b().broadcast("elsewhere", tick{8}));
  w.run();
  CHECK(w.other.logs[0].numbers == std::vector{1, 2, 5, 6, 7, 8});
}

TEST_CASE("P13: across a loop-back the payload is the same object, and ends once") {
  struct counted {
    explicit counted(std::shared_ptr<int> c) : count{std::move(c)} {}
    std::shared_ptr<int> count;
  };
  struct keeper_of : process<keeper_of, counted> {
    struct args {
      std::vector<const void*>* at;
    };
    keeper_of(context& self, args a) : at_{a.at} { subscribe<counted>(self, "t"); }
    void on(const counted& c) { at_->push_back(&c); }

   private:
    std::vector<const void*>* at_;
  };
  const auto net = std::make_shared<loopback>();
  std::vector<const void*> at;
  const auto tree = [&](const std::string& name) {
    supervisor s{.name = name};
    s.children.push_back(pubsub("", {.adapter = net->adapter(name)}));
    s.children.push_back(child<keeper_of>("k", {.at = &at}));
    return s;
  };
  const auto alive = std::make_shared<int>(0);
  {
    simulation sim_one{1};
    simulation sim_two{2};
    auto two = std::make_unique<application>(tree("two"), simulated(sim_two));
    {
      application one{tree("one"), simulated(sim_one)};
      one.start();
      two->start();
      CHECK(bus{one}.broadcast("t", counted{alive}));
      sim_one.run();
    }
    sim_two.run();  // the application it came from is gone
  }
  REQUIRE(at.size() == 2);
  CHECK(at[0] == at[1]);
  CHECK(alive.use_count() == 1);
}

TEST_CASE("P6: direct_broadcast reaches one node; an unknown one is an error, and nothing is delivered") {
  two w;
  w.one.wants(0, "t");
  w.other.wants(0, "t");
  CHECK(w.one.b().direct_broadcast("other", "t", tick{1}));
  CHECK(w.one.b().direct_broadcast("one", "t", tick{2}));
  CHECK(w.one.b().topic("t").value().direct_broadcast("other", tick{3}));
  const auto lost = w.one.b().direct_broadcast("third", "t", tick{4});
  REQUIRE(lost.is(pubsub_errc::unknown_node));
  CHECK(lost.error().message() == "there is no node \"third\"; known: \"one\", \"other\"");
  CHECK(w.one.b().direct_broadcast("other", "a::b", tick{5}).is(pubsub_errc::bad_topic));
  w.run();
  CHECK(w.one.logs[0].numbers == std::vector{2});
  CHECK(w.other.logs[0].numbers == std::vector{1, 3});
}

TEST_CASE("P6: without an adapter the own node is received and every other unknown") {
  world w{1};
  inside(w.p(0), [](context& self) { subscribe<tick>(self, "t"); });
  const bus b{w.app};
  CHECK(b.node_name() == "local");
  CHECK(b.direct_broadcast("local", "t", tick{1}));
  const auto lost = b.direct_broadcast("other", "t", tick{2});
  REQUIRE(lost.is(pubsub_errc::unknown_node));
  CHECK(lost.error().message() == "there is no node \"other\": the bus has no adapter, and this node is \"local\"");
  w.sim.run();
  CHECK(w.logs[0].numbers == std::vector{1});
}

TEST_CASE("P10: across a loop-back each publisher's events come in its order") {
  two w;
  w.other.wants(0, "t");
  w.other.wants(1, "**");
  for (int i = 0; i < 200; ++i) {
    if (i % 3 == 0) {
      inside(w.one.p(static_cast<std::size_t>(i) % 2), [i](context& self) { CHECK(bus{self}.broadcast("t", tick{i})); });
    } else {
      CHECK(w.one.b().broadcast("t", tick{i}));
    }
    if (i % 7 == 0) w.other.sim.step(3);
  }
  w.run();
  CHECK(w.other.logs[0].numbers == up_to(200));
  CHECK(w.other.logs[1].numbers == up_to(200));
}

TEST_CASE("a keeper that is restarted starts its adapter anew, and its bus serves this program meanwhile") {
  two w;
  w.one.wants(0, "t");
  w.other.wants(0, "t");
  w.one.app.kill("pubsub").value();
  CHECK(w.one.b().broadcast("t", tick{1}));
  w.run();
  CHECK(w.one.b().broadcast("t", tick{2}));
  w.run();
  CHECK(w.one.logs[0].numbers == std::vector{1, 2});
  CHECK(w.other.logs[0].numbers.back() == 2);
  CHECK(w.net->nodes().size() == 2);
}

TEST_CASE("when one application ends the other goes on alone") {
  const auto net = std::make_shared<loopback>();
  node one{1, {.adapter = net->adapter("one")}};
  {
    node other{1, {.adapter = net->adapter("other")}};
    other.wants(0, "t");
    CHECK(one.b().broadcast("t", tick{1}));
    other.sim.run();
    CHECK(other.logs[0].numbers == std::vector{1});
  }
  CHECK(net->nodes() == std::vector<std::string>{"one"});
  one.wants(0, "t");
  CHECK(one.b().broadcast("t", tick{2}));
  one.sim.run();
  CHECK(one.logs[0].numbers == std::vector{2});
}

TEST_CASE("what the adapter says against it, the publisher hears, and nobody gets the event") {
  const auto odd = std::make_shared<odd_adapter>();
  node w{1, {.adapter = odd}};
  w.wants(0, "t");
  CHECK(w.b().broadcast("t", tick{1}));
  odd->refuses = true;
  const auto refused = w.b().broadcast("t", tick{2});
  REQUIRE(refused.is(pubsub_errc::adapter_failed));
  CHECK(refused.error().message() == "link is down");
  CHECK_FALSE(w.b().topic("t").value().broadcast(tick{3}));
  odd->throws = true;
  const auto thrown = w.b().broadcast("t", tick{4});
  REQUIRE(thrown.is(pubsub_errc::adapter_failed));
  CHECK(thrown.error().message() == "nothing was published to \"t\": the adapter threw: cable cut");
  CHECK(w.b().local_broadcast("t", tick{5}));
  w.sim.run();
  CHECK(w.logs[0].numbers == std::vector{1, 5});
  odd->throws = false;
  CHECK(w.b().clear("t").is(pubsub_errc::adapter_failed));
  CHECK(odd->topics == std::vector<std::string>{"t"});
}

TEST_CASE("an adapter that wants to know is told which topics are wanted here, on the edges") {
  const auto odd = std::make_shared<odd_adapter>();
  node w{2, {.adapter = odd}};
  w.wants(0, "a");
  w.wants(1, "a");
  w.wants(0, "b:*");
  inside(w.p(0), [](context& self) { unsubscribe(self, "a"); });
  inside(w.p(1), [](context& self) { unsubscribe(self, "a"); });
  w.sim.run();
  CHECK(odd->interests == std::vector<std::string>{"+a", "+b:*", "-a"});
  // A keeper that comes back tells all that is wanted now.
  odd->interests.clear();
  w.app.kill("pubsub").value();
  w.sim.run();
  CHECK(odd->interests == std::vector<std::string>{"+b:*"});
  CHECK(odd->starts == 2);
  CHECK(odd->stops == 1);
  // ... also after the adapter's own crash.
  odd->throws_on_interest = true;
  w.wants(1, "bad");
  w.sim.run();
  odd->throws_on_interest = false;
  CHECK(odd->starts >= 3);
}

TEST_CASE("P12: buses of several names are children of one tree, each with its own node and adapter") {
  const auto net = std::make_shared<loopback>();
  simulation sim{1};
  std::vector<seen> logs(1);
  auto tree = crowd(logs);
  tree.children.insert(tree.children.begin(), {pubsub(), pubsub("orders", {.node_name = "shop"}), pubsub("audit", {.adapter = net->adapter("n")})});
  application app{tree, simulated(sim)};
  app.start();
  CHECK(bus{app}.node_name() == "local");
  CHECK(bus{app, "orders"}.node_name() == "shop");
  CHECK(bus{app, "audit"}.node_name() == "n");
  inside(app.find<listener>("p0"), [](context& self) { subscribe<tick>(self, bus{self, "orders"}, "t"); });
  CHECK(bus{app}.broadcast("t", tick{1}));
  CHECK(bus{app, "orders"}.broadcast("t", tick{2}));
  CHECK(bus{app, "audit"}.broadcast("t", tick{3}));
  CHECK(bus{app, "orders"}.direct_broadcast("shop", "t", tick{4}));
  CHECK(bus{app, "orders"}.direct_broadcast("n", "t", tick{5}).is(pubsub_errc::unknown_node));
  sim.run();
  CHECK(logs[0].numbers == std::vector{2, 4});
}

TEST_CASE("wrong options of a bus are refused one by one") {
  const auto why = [](bus_options options) -> std::string {
    const auto r = check_options(options);
    if (r) return "fine";
    CHECK(r.error() == pubsub_errc::bad_option);
    CHECK_THROWS_AS(static_cast<void>(pubsub("x", options)), std::logic_error);
    return r.error().message();
  };
  CHECK(why({}) == "fine");
  CHECK(why({.node_name = "a@b"}) == "fine");
  CHECK(why({.node_name = std::string(256, 'x')}) == "bus_options.node_name has 256 bytes; wanted: 1 to 255");
  CHECK(why({.node_name = "a\nb"}) == "bus_options.node_name has a control character; wanted: none");
  CHECK(why({.adapter = std::make_shared<odd_adapter>("")}) == "bus_options.adapter has no node name; wanted: one of 1 to 255 bytes");
  CHECK(why({.node_name = "a", .adapter = std::make_shared<odd_adapter>("b")}) ==
        "bus_options.node_name is \"a\" and its adapter's is \"b\"; wanted: the same, or none");
  CHECK(why({.node_name = "b", .adapter = std::make_shared<odd_adapter>("b")}) == "fine");
  const auto named = [](std::string name) { return dispatcher{std::move(name), [](dispatch_call&) {}}; };
  CHECK(why({.dispatchers = {named("a"), named("b")}}) == "fine");
  CHECK(why({.dispatchers = {named("a"), named("")}}) == "one of bus_options.dispatchers has no name; wanted: a name for each");
  CHECK(why({.dispatchers = {named("a"), named("a")}}) == "two of bus_options.dispatchers are named \"a\"; wanted: different names");
}

TEST_CASE("a second keeper, a taken name and an adapter that does not start are start errors with their reason") {
  const auto start = [](std::vector<child_spec> children) -> std::string {
    simulation sim{1};
    application app{{.name = "root", .children = std::move(children)}, simulated(sim)};
    const auto r = app.try_start();
    return r ? "fine" : r.error().to_string();
  };
  auto second = pubsub("x");
  second.id = "second";
  CHECK(start({pubsub("x"), second}).find("the bus \"x\" has a keeper already") != std::string::npos);
  const auto net = std::make_shared<loopback>();
  CHECK(start({pubsub("x", {.adapter = net->adapter("n")}), pubsub("y", {.adapter = net->adapter("n")})})
            .find("a loopback has a node \"n\" already") != std::string::npos);
  CHECK(net->nodes().empty());
  const auto odd = std::make_shared<odd_adapter>();
  odd->refuses_start = true;
  CHECK(start({pubsub("", {.adapter = odd})}).find("no network today") != std::string::npos);
}
