// CAF actors as supervised children, as callers and as called; on real threads, because there is no CAF in a simulation.

#include <herald/caf.hpp>
#include <herald/engine/caf_words.hpp>
#include <herald/runtime.hpp>
#include <herald/testing.hpp>

#include <atomic>
#include <latch>
#include <stdexcept>
#include <thread>

#include <caf/all.hpp>
#include <doctest/doctest.h>

using namespace herald;
using namespace std::chrono_literals;
using herald::testing::probe;
namespace words = herald::engine::caf_words;

namespace {

// Only types that CAF knows without being told, so that the test is the same for both CAFs: an int adds, a string crashes.
caf::behavior adder(caf::event_based_actor* self, std::atomic<int>* sum) {
  return {[sum](std::int32_t n) { return *sum += n; },
          [self](const std::string& why) {
            if (why == "quit") return self->quit();
            throw std::runtime_error{why};
          },
          [](double) -> caf::result<double> { return caf::make_error(caf::sec::invalid_argument, "no doubles"); }};
}

child_spec adder_child(std::atomic<int>& sum, std::atomic<int>& spawned, child_options options = {}) {
  return caf_child("adder", [&sum, &spawned](caf::actor_system& system) {
    ++spawned;
    return system.spawn(adder, &sum);
  }, options);
}

struct ended {
  std::string why;
};
/// Something with a probe beside it, on threads.
struct place {
  explicit place(supervisor root, application_options options = {}) : app{std::move(root), quiet(std::move(options))} { app.start(); }
  static application_options quiet(application_options o) {
    o.workers = 2;
    o.sinks = {[](const report&) {}};
    return o;
  }
  template <class F>
  static void wait(F&& done) {
    const auto end = std::chrono::steady_clock::now() + 30s;
    while (!done()) {
      REQUIRE(std::chrono::steady_clock::now() < end);
      std::this_thread::yield();
    }
  }
  application app;
};

supervisor with(child_spec spec) { return {.name = "root", .intensity = {5, 5s}, .children = {std::move(spec)}}; }

/// An adder under the root, and who is told of its ends.
struct watched_adder {
  explicit watched_adder(child_options options = {}) : here{with(adder_child(sum, spawned, options))} { told.watch(guest); }
  std::atomic<int> sum{0}, spawned{0};
  place here;
  ref<caf_guest> guest = here.app.find<caf_guest>("adder");
  probe<ended> told{here.app};
};

struct ask_adder {
  caf::actor whom;
  int n = 0;
};
struct ask_double {
  caf::actor whom;
};
struct ask_nobody {
  caf::actor whom;
};
struct answered {
  int n = 0;
  std::string error;
};

/// A process that asks CAF actors.
struct asker : process<asker, ask_adder, ask_double, ask_nobody> {
  struct args {
    any_ref tells;
  };
  asker(context& self, args a) : self_{self}, a_{a} {}
  void on(const ask_adder& m) {
    caf_request<std::int32_t>(self_, m.whom, 10s, [this](const result<std::int32_t>& r) { tell(r); }, std::int32_t{m.n});
  }
  void on(const ask_double& m) {
    caf_request<double>(self_, m.whom, 10s, [this](const result<double>& r) { tell(r); }, 1.5);
  }
  void on(const ask_nobody& m) {
    caf_request<std::int32_t>(self_, m.whom, 10s, [this](const result<std::int32_t>& r) { tell(r); }, std::int32_t{1});
  }

 private:
  template <class T>
  void tell(const result<T>& r) {
    a_.tells.cast(answered{r ? static_cast<int>(*r) : 0, r ? std::string{} : r.error().to_string()});
  }
  context& self_;
  args a_;
};

}  // namespace

// What CAF must be told of a message; its inspectors differ from version to version.
struct plus {
  std::int32_t n = 0;
  using reply = std::int32_t;
};
struct fall_over {
  using reply = void;
};
template <class Inspector>
auto inspect(Inspector& f, plus& x) {
  if constexpr (requires { f.object(x); }) {
    return f.object(x).fields(f.field("n", x.n));
  } else {
    return f(x.n);
  }
}
template <class Inspector>
auto inspect(Inspector& f, fall_over& x) {
  if constexpr (requires { f.object(x); }) {
    return f.object(x).fields();
  } else {
    return f();
  }
}
CAF_BEGIN_TYPE_ID_BLOCK(door_test, first_custom_type_id)
CAF_ADD_TYPE_ID(door_test, (plus))
CAF_ADD_TYPE_ID(door_test, (fall_over))
CAF_END_TYPE_ID_BLOCK(door_test)
void init_caf() { words::init_types<caf::id_block::door_test>(); }

namespace {

/// A process that CAF actors talk to.
struct total : process<total, std::int32_t, plus, fall_over> {
  void on(const std::int32_t& n) { sum_ = n; }
  std::int32_t on(const plus& m) { return sum_ += m.n; }
  void on(const fall_over&) { throw std::runtime_error{"told to"}; }

 private:
  std::int32_t sum_ = 0;
};

}  // namespace

TEST_CASE("door: a CAF actor is a child; messages reach it through its ref") {
  std::atomic<int> sum{0}, spawned{0};
  place here{with(adder_child(sum, spawned))};
  const auto guest = here.app.find<caf_guest>("adder");
  REQUIRE(guest);
  guest.cast(to_caf(std::int32_t{40}));
  guest.cast(to_caf(std::int32_t{2}));
  place::wait([&] { return sum == 42; });
  CHECK(guest.call(caf_handle{}).value());
  const auto end = here.app.stop();
  CHECK(end.zombies.empty());
  CHECK(spawned == 1);
}

TEST_CASE("door: a CAF actor that fails is spawned anew, and its ref stays valid") {
  watched_adder a;
  a.guest.cast(to_caf(std::string{"boom"}));
  CHECK(a.told.expect<restarted>(30s).incarnation == 2);
  a.guest.cast(to_caf(std::int32_t{1}));
  place::wait([&] { return a.sum == 1; });
  CHECK(a.spawned == 2);
}

TEST_CASE("door: an actor that quits is a normal end: transient children stay away") {
  watched_adder a{{.restart = transient}};
  a.guest.cast(to_caf(std::string{"quit"}));
  CHECK(a.told.expect<down>(30s).reason == exit_reason{exit_reason::normal});
  CHECK(a.spawned == 1);
}

TEST_CASE("door: an actor killed from outside is restarted; killing its process ends it") {
  watched_adder a;
  {
    const auto actor = a.guest.call(caf_handle{}).value();
    caf::anon_send_exit(actor, caf::exit_reason::kill);
  }
  static_cast<void>(a.told.expect<restarted>(30s));
  REQUIRE(a.here.app.kill("adder"));
  static_cast<void>(a.told.expect<restarted>(30s));
  CHECK(a.spawned == 3);
}

TEST_CASE("door: a spawn that throws or gives nothing fails the start with its text") {
  for (const bool throws : {true, false}) {
    application app{with(caf_child("bad", [throws](caf::actor_system&) -> caf::actor {
                      if (throws) throw std::runtime_error{"no licence"};
                      return {};
                    })),
                    place::quiet({})};
    const auto r = app.try_start();
    REQUIRE_FALSE(r);
    CHECK(r.error().to_string().find(throws ? "no licence" : "returned no actor") != std::string::npos);
  }
  application empty{with(caf_child("bad", {})), place::quiet({})};
  CHECK(empty.try_start().error().to_string().find("got an empty one") != std::string::npos);
}

TEST_CASE("door: in a simulation it says that there is no CAF") {
  std::atomic<int> sum{0}, spawned{0};
  herald::testing::world w{with(adder_child(sum, spawned))};
  const auto r = w.app().try_start();
  REQUIRE_FALSE(r);
  CHECK(r.error().to_string().find("simulation") != std::string::npos);
  CHECK_THROWS_AS(static_cast<void>(caf_system(w.app())), std::logic_error);
}

TEST_CASE("door: a process asks a CAF actor: answer, error, nobody") {
  std::atomic<int> sum{0}, spawned{0};
  place here{with(adder_child(sum, spawned))};
  probe<answered> p{here.app};
  const auto asking = ref<asker>{here.app.root().start_child(child<asker>("asker", {p}))->where()};
  const auto guest = here.app.find<caf_guest>("adder");
  auto actor = guest.call(caf_handle{}).value();
  asking.cast(ask_adder{actor, 7});
  CHECK(p.expect<answered>(30s).n == 7);
  asking.cast(ask_double{actor});
  CHECK(p.expect<answered>(30s).error.find("no doubles") != std::string::npos);
  probe<ended> q{here.app, "q"};
  q.watch(guest);
  guest.cast(to_caf(std::string{"quit"}));
  static_cast<void>(q.fish<restarted>(30s));
  asking.cast(ask_nobody{actor});
  CHECK_FALSE(p.expect<answered>(30s).error.empty());
  actor = nullptr;
}

TEST_CASE("door: a CAF actor sends to a process and asks it, in the user's own system or the application's") {
  init_caf();
  for (const bool theirs : {true, false}) {
    caf::actor_system_config config;
    caf::actor_system system{config};
    application_options options;
    if (theirs) options.actor_system = &system;
    place here{with(child<total>("total")), options};
    const auto guest = here.app.find<total>("total");
    std::atomic<std::int32_t> answer{0};
    std::string refusal;
    {
      auto door = as_actor(here.app, guest);
      caf::scoped_actor self{system};
      words::send(self.ptr(), door, std::int32_t{12});
      const auto failed = [&](const caf::error& e) { refusal = to_string(e); };
      words::request(self.ptr(), door, 30s, plus{30}).receive([&](std::int32_t n) { answer = n; }, failed);
      CHECK(answer == 42);
      CHECK(refusal.empty());
      words::request(self.ptr(), door, 30s, fall_over{}).receive([&] { answer = -1; }, failed);
      CHECK(refusal.find("told to") != std::string::npos);
      // The door stands for the process, whichever incarnation of it.
      words::request(self.ptr(), door, 30s, plus{5}).receive([&](std::int32_t n) { answer = n; }, failed);
      CHECK(answer == 5);
      auto none = as_actor<plus>(here.app, ref<total>{});
      refusal.clear();
      words::request(self.ptr(), none, 30s, plus{5}).receive([&](std::int32_t n) { answer = n; }, failed);
      CHECK_FALSE(refusal.empty());
    }
    CHECK(here.app.stop().zombies.empty());
  }
}

TEST_CASE("door: an actor that does not end in time is killed, and the program ends") {
  init_caf();
  std::atomic<int> spawned{0};
  std::atomic<bool> enough{false};
  auto stuck = caf_child("stuck", [&](caf::actor_system& system) {
    ++spawned;
    return system.spawn(
        [](caf::event_based_actor* self, std::atomic<bool>* until) -> caf::behavior {
          words::send(self, caf::actor_cast<caf::actor>(self), std::int32_t{1});
          return {[until](std::int32_t) {
            while (!until->load()) std::this_thread::yield();
          }};
        },
        &enough);
  }, {.shutdown = 10ms});
  caf::actor_system_config config;
  caf::actor_system system{config};
  application_options options;
  options.actor_system = &system;
  {
    place here{with(std::move(stuck)), options};
    const auto end = here.app.stop();
    REQUIRE(end.zombies.size() == 1);
    CHECK(end.zombies[0] == "stuck");
  }
  enough = true;
}

TEST_CASE("door: a thread that keeps hold of the application's own system does not keep it from ending") {
  std::atomic<int> sum{0}, spawned{0};
  std::latch holds{1}, over{1};
  std::thread holder;
  {
    place here{with(adder_child(sum, spawned))};
    holder = std::thread{[&, &system = caf_system(here.app)] {
      { caf::scoped_actor self{system}; }
      holds.count_down();
      over.wait();
    }};
    holds.wait();
    here.app.stop();
  }
  over.count_down();
  holder.join();
  CHECK(spawned == 1);
}
