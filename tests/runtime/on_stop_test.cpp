// on_stop: a process that has something to finish when it is asked to end.

#include "support.hpp"

#include <herald/engine/child_event.hpp>

using namespace herald;
using namespace herald::test;
using namespace std::chrono_literals;

namespace {

struct done {};
struct look_back {
  using reply = int;
};

/// Needs three ticks to end, counted from when it is asked.
struct finisher : process<finisher, done, look_back> {
  struct args {
    journal* log = nullptr;
    int needs = 3;
    bool throws = false;
    std::chrono::nanoseconds stall{0};
  };
  finisher(context& self, args a) : self_{self}, a_{a} { a_.log->write("+"); }
  ~finisher() { a_.log->write("~"); }
  void on_stop(context& self, const exit_reason& why) {
    a_.log->write("asked " + why.to_string());
    if (a_.stall.count() > 0) simulation::stall(a_.stall);
    if (a_.throws) throw std::runtime_error{"in on_stop"};
    if (a_.needs == 0) return self.stop(why);
    self.send_every(10ms, done{});
  }
  void on(const done&) {
    if (--a_.needs == 0) self_.stop(exit_reason::shutdown);
  }
  int on(const look_back&) { return a_.needs; }
  void terminate(const exit_reason& why) { a_.log->write("- " + why.to_string()); }

 private:
  context& self_;
  args a_;
};

struct finish_world : world {
  explicit finish_world(finisher::args a, child_options options = {}, std::uint64_t seed = 1) : world{seed} {
    a.log = &log;
    start({.name = "root", .intensity = {5, 5s}, .children = {child<finisher>("f", a, options)}});
    log.take();
  }
};

}  // namespace

TEST_CASE("on_stop: the process goes on until it stops itself, and its supervisor waits") {
  finish_world w{{.needs = 3}};
  CHECK(w.app->root().terminate_child("f"));
  CHECK(w.log.text() == "asked shutdown - shutdown ~");
  CHECK(w.app->root().which_children()->front().state == child_state_t::stopped);
}

TEST_CASE("on_stop: at once is possible, too; and a kill does not ask") {
  finish_world w{{.needs = 0}};
  CHECK(w.app->root().terminate_child("f"));
  CHECK(w.log.take_text() == "asked shutdown - shutdown ~");
  CHECK(w.app->root().restart_child("f"));
  w.log.take();
  CHECK(w.app->kill("f"));
  w.sim.run();
  CHECK(w.log.text() == "~ +");
}

TEST_CASE("on_stop: what does not end within its limit is killed, without terminate") {
  finish_world w{{.needs = 1000}, {.shutdown = 200ms}};
  CHECK(w.app->root().terminate_child("f"));
  CHECK(w.log.text() == "asked shutdown ~");
}

TEST_CASE("on_stop: what it throws is a crash; overrunning in it is reported, and it comes back") {
  finish_world w{{.throws = true}};
  CHECK(w.app->root().terminate_child("f"));
  CHECK(w.log.text() == "asked shutdown - crash: std::runtime_error: in on_stop ~");
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    finish_world slow{{.needs = 2, .stall = 400ms}, {}, seed};
    CHECK(slow.app->root().terminate_child("f"));
    CHECK(slow.log.text() == "asked shutdown - shutdown ~");
  }
}

TEST_CASE("on_stop: calls are answered while it finishes; asking twice asks once") {
  finish_world w{{.needs = 5}};
  int answer = 0;
  const auto f = w.app->find<finisher>("f");
  engine::order_stop(f.where(), exit_reason::shutdown, false, nullptr);
  engine::order_stop(f.where(), exit_reason::shutdown, false, nullptr);
  w.sim.run();
  answer = f.call(look_back{}).value();
  CHECK(answer == 5);
  w.sim.advance(1s);
  CHECK(w.log.text() == "asked shutdown - shutdown ~ +");  // permanent: nobody but its supervisor may end it for good
}
