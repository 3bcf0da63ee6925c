#include <cstdio>
#include <herald/herald.hpp>
#include <latch>

struct Order {
  std::int64_t id = 0;
  std::string region;
  std::string state = "placed";
};

using namespace herald::dsl;
inline constexpr auto orders = herald::resource<Order>("orders",
    attribute<&Order::id>(primary_key, generated),
    attribute<&Order::region>(),
    attribute<&Order::state>(),
    create("place", accepts<&Order::region>),
    update("move", accepts<&Order::region>),
    update("ship", accepts<>, change{[](auto& order) { order.set(field<&Order::state>, "shipped"); }}),
    authorise_subscription{[](const herald::actor& who, std::string_view topic) {
      return topic.starts_with("orders:" + who.name() + ":");  // a branch hears of its own region
    }},
    pub_sub("orders",
      publish("place", topic(field<&Order::region>, "placed")),
      publish("move", topic(field<&Order::region>, "moved"), named{"region_changed"}, previous_values),
      publish_all(herald::op::update, topic("updated", any_of(pkey, "all")), except("move"))));

using order_event = herald::event<orders>;

/// Hears what happens from now on, on topics of the bus.
struct desk : herald::process<desk, order_event> {
  struct args { std::latch* done; };
  desk(herald::context& self, args a) : a_{a} {
    herald::subscribe<order_event>(self, "orders:eu:placed");
    herald::subscribe<order_event>(self, "orders:eu:moved");
    herald::subscribe<order_event>(self, "orders:updated:all");
  }
  void on(const order_event& e) {
    std::printf("desk: %s on %s, order %s\n", std::string{e.name()}.c_str(), std::string{e.topic()}.c_str(),
                e.key().to_string().c_str());
    a_.done->count_down();
  }
 private:
  args a_;
};

/// Wants every event since the beginning, whenever it starts.
struct auditor : herald::process<auditor, order_event> {
  struct args { herald::store store; std::latch* done; };
  auditor(herald::context& self, args a) : a_{a} {
    herald::subscribe<order_event>(self, a_.store, herald::earliest).value();  // `gone` would be a start error
  }
  void on(const order_event& e) {
    ++seen_;
    if (e.offset().sequence == 4) std::printf("auditor: %d events, the last one is %s\n", seen_, std::string{e.action()}.c_str());
    a_.done->count_down();
  }
 private:
  args a_;
  int seen_ = 0;
};

/// Subscribes for somebody, as a gateway does: the resource is asked first.
struct branch : herald::process<branch, order_event> {
  struct args { herald::store store; herald::actor who; std::latch* done; };
  branch(herald::context& self, args a) : a_{a} {
    const auto all = herald::subscribe_as<order_event>(self, a_.store, a_.who, herald::earliest);
    if (!all) std::printf("branch: %s\n", all.error().to_string().c_str());
    herald::subscribe_as<order_event>(self, a_.store, a_.who, "orders:eu:placed", herald::earliest).value();
  }
  void on(const order_event& e) {
    std::printf("branch: %s, order %s\n", std::string{e.topic()}.c_str(), e.key().to_string().c_str());
    a_.done->count_down();
  }
 private:
  args a_;
};

void must(const auto& result) {
  if (!result) std::printf("failed: %s\n", result.error().to_string().c_str());
}

int main() {
  auto store = herald::store::open({&herald::table_of<orders>}, herald::memory_options{}).value();
  std::latch heard{3};
  std::latch audited{4};
  std::latch known{1};
  herald::application app{{.name = "shop", .children = {store.writer(), store.notifier(),
      herald::child<desk>("desk", {&heard})}}};
  app.start();
  const auto order = store.run<orders, "place">(field<&Order::region> = "eu").value();
  must(store.run<orders, "move">(order.id, field<&Order::region> = "us"));
  must(store.run<orders, "ship">(order.id));
  heard.wait();

  // Who comes later misses nothing.
  must(app.root().start_child(herald::child<auditor>("auditor", {store, &audited})));
  must(store.run<orders, "place">(field<&Order::region> = "asia"));
  audited.wait();

  must(app.root().start_child(herald::child<branch>("branch", {store, herald::actor{"eu"}, &known})));
  known.wait();
}
