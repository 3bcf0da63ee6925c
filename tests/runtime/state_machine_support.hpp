#pragma once
// A machine whose answers the test chooses, for the tests of state machines.

#include <herald/state_machine.hpp>

#include "support.hpp"

namespace herald::test::machines {


struct red {
  int visits = 0;
  friend bool operator==(const red&, const red&) = default;
};
struct green {};
struct blue {};

struct poke {
  int number = 0;
};
struct later {
  int number = 0;
};
struct query {
  using reply = std::string;
};
struct order {
  using reply = void;
};
struct only_red {
  using reply = int;
};
struct noise {};
struct go_red {};

struct lamp;
using lamp_base = state_machine<lamp, states<red, green, blue>, poke, later, query, order, only_red, noise, go_red>;

/// What the lamp answers to poke n; the rest is fixed.
using poke_script = std::function<machine_transition<lamp_base>(lamp&, context&, int)>;

struct lamp : lamp_base {
  struct args {
    std::vector<std::string>* log;
    std::shared_ptr<poke_script> poked = std::make_shared<poke_script>();
    std::shared_ptr<std::function<void(lamp&, context&)>> init = std::make_shared<std::function<void(lamp&, context&)>>();
  };
  lamp(context& self, args a) : state_machine{red{}}, a_{std::move(a)} {
    if (*a_.init) (*a_.init)(*this, self);
  }
  // What the tests reach for.
  using state_machine::keep;
  using state_machine::next;
  using state_machine::postpone;
  using state_machine::repeat;
  using state_machine::start_with;
  using state_machine::stop;

  transition on(context& self, const poke& m) {  // in every state
    write("poke" + std::to_string(m.number));
    return *a_.poked ? (*a_.poked)(*this, self, m.number) : keep();
  }
  void on(red&, const later& m) { write("later" + std::to_string(m.number)); }
  void on(const green&, const later& m) { write("later" + std::to_string(m.number)); }
  void on(const red&, const state_timeout&) { write("state_timeout"); }
  void on(const green&, const state_timeout&) { write("state_timeout"); }
  void on(const event_timeout&) { write("event_timeout"); }
  answer<std::string> on(const red&, const query&) { return "red"; }
  answer<std::string> on(const green&, const query&) { return next(blue{}).reply("green"); }
  transition on(const red&, const order&) { return next(green{}); }
  transition on(const blue&, const go_red&) { return next(red{}); }
  void on(const blue&, const poke& m) { write("blue" + std::to_string(m.number)); }
  transition on(const green&, const order&) { return keep(); }
  int on(red& s, const only_red&) { return ++s.visits; }

  void enter(const red&) { write("+red"); }
  entry enter(const green&) {
    write("+green");
    return enter_timeout_.count() > 0 ? set().state_timeout(enter_timeout_) : set();
  }
  void enter(const blue&, const green&) { write("+blue from green"); }
  void enter(context& self, const blue&) { write(self.self() ? "+blue" : "?"); }
  void leave(const red&) { write("-red"); }
  void leave(context&, const green&) { write("-green"); }

  using ignores = rules<in_any<noise>, in<red, go_red>, in<green, go_red>>;
  using postpones = rules<in<blue, later, query>, in<blue, order>>;
  using refuses = rules<in<green, only_red>, in<blue, only_red>>;

  void write(const std::string& what) { a_.log->push_back(what); }
  std::chrono::nanoseconds enter_timeout_{0};

 private:
  args a_;
};

struct lamp_world : world {
  explicit lamp_world(poke_script poked = {}, std::function<void(lamp&, context&)> init = {}, child_options options = {},
                      std::uint64_t seed = 1)
      : world{seed} {
    *script_ = std::move(poked);
    auto first = std::make_shared<std::function<void(lamp&, context&)>>(std::move(init));
    start({.name = "root", .children = {child<lamp>("lamp", {&lines, script_, first}, options)}});
    it = app->find<lamp>("lamp");
    sim.run();
  }
  std::string take() {
    std::string all;
    for (const auto& line : std::exchange(lines, {})) all.append(all.empty() ? "" : " ").append(line);
    return all;
  }
  std::string poke_it(int n) {
    it.cast(poke{n});
    sim.run();
    return take();
  }
  std::vector<std::string> lines;
  std::shared_ptr<poke_script> script_ = std::make_shared<poke_script>();
  ref<lamp> it;
};

/// 1: to green, 2: to blue, 3: to red, 0: keep.
inline machine_transition<lamp_base> go(lamp& l, int n) {
  switch (n) {
    case 1: return l.next(green{});
    case 2: return l.next(blue{});
    case 3: return l.next(red{});
    default: return l.keep();
  }
}
inline poke_script plain() {
  return [](lamp& l, context&, int n) { return go(l, n); };
}

}  // namespace herald::test::machines
