// An application inside a program that has its own life: a CAF system of the user's, a second application, no start.

#include <herald/engine/caf_words.hpp>
#include <herald/runtime.hpp>

#include <atomic>
#include <thread>

#include <caf/all.hpp>
#include <doctest/doctest.h>

using namespace herald;

namespace {

struct ping {
  using reply = int;
};

struct answerer : process<answerer, ping> {
  struct args {
    int value = 0;
  };
  explicit answerer(args a) : value_{a.value} {}
  int on(const ping&) { return value_; }

 private:
  int value_;
};

application_options silent() {
  application_options o;
  o.sinks = {[](const report&) {}};
  return o;
}

supervisor tree(int value) { return {.name = "app", .children = {child<answerer>("a", {.value = value})}}; }

}  // namespace

TEST_CASE("an application lives in the user's own actor_system and leaves it as it was") {
  engine::caf_words::init_types();
  caf::actor_system_config config;
  caf::actor_system system{config};
  auto options = silent();
  options.actor_system = &system;
  {
    application app{tree(7), options};
    app.start();
    CHECK(app.find<answerer>("a").call(ping{}).value() == 7);
    app.stop();
  }
  // The system still works.
  std::atomic<int> got{0};
  // With an argument: CAF 0.17 dereferences a null pointer to the arguments when there are none.
  auto theirs = system.spawn(
      [](caf::event_based_actor*, decltype(&got) to) -> caf::behavior { return {[to](std::int32_t n) { *to = n; }}; }, &got);
  caf::scoped_actor self{system};
  engine::caf_words::send(self.ptr(), theirs, std::int32_t{5});
  caf::anon_send_exit(theirs, caf::exit_reason::user_shutdown);
  self->wait_for(theirs);
  CHECK(got == 5);
}

TEST_CASE("two applications live in one program and do not see each other") {
  application first{tree(1), silent()};
  application second{tree(2), silent()};
  first.start();
  second.start();
  CHECK(first.find<answerer>("a").call(ping{}).value() == 1);
  CHECK(second.find<answerer>("a").call(ping{}).value() == 2);
  first.stop();
  CHECK(first.find<answerer>("a").call(ping{}).is(errc::noproc));
  CHECK(second.find<answerer>("a").call(ping{}).value() == 2);
}

TEST_CASE("an application that was never started stops at once, and cannot start afterwards") {
  application app{tree(1), silent()};
  CHECK(app.stop().zombies.empty());
  CHECK(app.try_start().is(errc::already_started));
}

TEST_CASE("an application starts once") {
  application app{tree(1), silent()};
  app.start();
  CHECK(app.try_start().is(errc::already_started));
  CHECK(app.find<answerer>("a").call(ping{}).value() == 1);
}

TEST_CASE("stop from several threads is one stop") {
  application app{tree(1), silent()};
  app.start();
  std::atomic<int> clean{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] {
        if (app.stop().zombies.empty()) ++clean;
      });
  }
  CHECK(clean == 4);
}

TEST_CASE("wrong options are named and nothing is started") {
  auto options = silent();
  options.workers = 1000;
  options.overrun_limit = std::chrono::milliseconds{0};
  application app{tree(1), options};
  const auto r = app.try_start();
  REQUIRE(r.is(errc::bad_option));
  REQUIRE(r.error().fields().size() == 2);
  CHECK(r.error().fields()[0] == field_error{"workers", "is 1000; wanted: 0 to 256"});
  CHECK(r.error().fields()[1] == field_error{"overrun_limit", "is 0 ms; wanted: 1 up"});
}
