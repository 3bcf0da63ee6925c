// How handlers that wait inside end before they are through: stops, kills, crashes, overruns.

#include "coroutine_support.hpp"

using namespace herald;
using namespace herald::test;
using namespace herald::test::coroutines;
using namespace std::chrono_literals;

TEST_CASE("a stop ends a handler that waits: frames, terminate, destructor; its caller gets down at once") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    waiters w{seed};
    w.it().cast(wait_long{"a"});
    w.it().cast(note{1});
    w.sim.run();
    CHECK(w.app->root().terminate_child("w"));
    CHECK(w.log.text() == "+a -a terminate shutdown destroyed");
    w.sim.advance(5s);
    CHECK(w.log.text() == "+a -a terminate shutdown destroyed");
  }
}

TEST_CASE("a kill ends a handler that waits without terminate, and the next life takes the rest of the mailbox") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    waiters w{seed};
    w.it().cast(wait_long{"a"});
    w.it().cast(note{1});
    w.sim.run();
    CHECK(w.app->kill("w"));
    w.sim.advance(5s);
    CHECK(w.log.text() == "+a -a destroyed init note 1");
  }
}

TEST_CASE("the caller of a handler that is ended while it waits gets down with the reason, at once") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    waiters w{seed};
    struct asking : process<asking, note> {
      struct args {
        journal* log;
        ref<waiter_process> whom;
      };
      asking(context& self, args a) : self_{self}, a_{a} {}
      void on(const note&) {
        self_.call(a_.whom, stall_while_resumed{}, 10s, [this](const result<int>& r) {
          a_.log->write(r ? "got it" : r.error().to_string());
        });
      }

     private:
      context& self_;
      args a_;
    };
    CHECK(w.app->root().start_child(child<asking>("asking", {&w.log, w.it()})));
    CHECK(w.app->root().terminate_child("right"));
    CHECK(w.app->root().restart_child("right"));
    w.app->find<source>("right").cast(boom{});  // its host is busy, so the call below is on its way when the kill comes
    w.app->find<asking>("asking").cast(note{});
    w.sim.step(seed % 7);
    CHECK(w.app->kill("w"));
    w.sim.advance(1s);
    const auto text = w.log.text();
    const bool told = text.find("got it") != std::string::npos || text.find("ended with killed") != std::string::npos;
    CHECK_MESSAGE(told, text);
  }
}

TEST_CASE("a crash of a resumed part is a crash on the message in hand") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    waiters w{seed};
    const auto r = w.it().call(wait_and_crash_in_call{});
    CHECK(r.is(errc::down));
    CHECK(r.error().message().find("in a call") != std::string::npos);
    w.sim.run();
    CHECK(w.log.take_text() == "+frame -frame terminate crash destroyed init");
    CHECK(w.it().call(crash_at_once{}).is(errc::down));
    w.sim.run();
    CHECK(w.log.take_text() == "+frame -frame terminate crash destroyed init");
  }
}

TEST_CASE("two crashes in a row on one type are poison, also when its handler waits before it throws") {
  waiters w;
  for (int i = 0; i < 3; ++i) w.it().cast(wait_and_crash{});
  w.it().cast(note{1});
  for (int i = 0; i < 3; ++i) w.it().cast(wait_and_crash{});
  w.it().cast(note{2});
  w.sim.advance(1s);
  CHECK(w.log.text() ==
        "+frame -frame terminate crash destroyed init +frame -frame terminate crash destroyed init note 1 note 2");
  CHECK(w.app->dead_letters() == 4);
}

TEST_CASE("a stop from inside takes effect when the handler waits next") {
  waiters w;
  w.to_it(stop_inside{});
  CHECK(w.log.text() == "+frame goes on -frame terminate shutdown destroyed init");
}

TEST_CASE("a part that overruns keeps its handler, before it waits and after") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    for (const auto& m : {stall_while_resumed{300ms, 0ms}, stall_while_resumed{0ms, 300ms}, stall_while_resumed{300ms, 300ms}}) {
      waiters w{seed};
      w.it().cast(note{0});
      CHECK(w.it().call(m).value() == 2);
      w.to_it(note{1});
      CHECK(w.log.text() == "note 0 +frame -frame note 1");
      CHECK(w.told(report::overran, "w") >= 1);
    }
  }
}

TEST_CASE("killed while a part overruns: fenced, its caller told, its frame gone when it comes back") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    for (const auto& m : {stall_while_resumed{1s, 0ms}, stall_while_resumed{0ms, 1s}}) {
      waiters w{seed};
      std::optional<result<int>> got;
      struct asking : process<asking, note> {
        struct args {
          std::optional<result<int>>* into;
          ref<waiter_process> whom;
          stall_while_resumed what;
        };
        asking(context& self, args a) : self_{self}, a_{a} {}
        void on(const note&) {
          self_.call(a_.whom, a_.what, 10s, [into = a_.into](result<int> r) { into->emplace(std::move(r)); });
        }

       private:
        context& self_;
        args a_;
      };
      CHECK(w.app->root().start_child(child<asking>("asking", {&got, w.it(), m})));
      w.app->find<asking>("asking").cast(note{});
      w.sim.advance(300ms);
      CHECK(w.app->kill("w"));
      w.sim.run();
      REQUIRE(got);
      CHECK(got->is(errc::down));
      CHECK(w.it().call(never_waits{}).value() == 5);
      CHECK(w.log.text() == "+frame init");
      w.sim.advance(2s);
      CHECK(w.log.text() == "+frame init -frame destroyed");
      CHECK(w.app->stop().zombies.empty());
    }
  }
}

TEST_CASE("frames that take long to go hold nobody else up, and what comes after them waits") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    waiters w{seed};
    w.to_it(stall_in_end{});
    CHECK(w.app->root().terminate_child("w"));
    CHECK(w.log.take_text() == "slow end terminate shutdown destroyed");
    CHECK(w.app->root().restart_child("w"));
    w.log.take();
    w.to_it(stall_in_end{});
    CHECK(w.app->kill("w"));
    w.sim.advance(5s);
    CHECK(w.log.text() == "slow end destroyed init");
  }
}
