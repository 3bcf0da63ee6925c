// Trees and processes as text, compared whole.

#include "support.hpp"

using namespace herald;
using namespace herald::test;
using namespace std::chrono_literals;

namespace {

struct job {
  int number = 0;
};
struct mailer : process<mailer, job, note> {
  void on(const job&) {}
  void on(const note& n) {
    if (n.number != 0) simulation::stall(std::chrono::milliseconds{n.number});
  }
  void describe(description& d) const { d.add("server", "mx1").add("password", secret(1)); }
};

application_options one_host(world& w) {
  auto o = w.options();
  o.hosts = 1;
  return o;
}

struct picture {
  picture() {
    w.app = std::make_unique<application>(
        supervisor{.name = "root",
                   .children = {child<mailer>("w10"), child<mailer>("w2"),
                                supervisor{.name = "alerts", .children = {child<mailer>("mail"), child<mailer>("sms")}}}},
        one_host(w));
    w.app->start();
    for (int i = 0; i < 3; ++i) w.app->find<mailer>("w2").cast(job{i});
    w.sim.run();
    static_cast<void>(suspend(w.app->find<mailer>("alerts/mail")));
    for (int i = 0; i < 12'000; ++i) w.app->find<mailer>("alerts/mail").cast(job{i});
    w.app->find<mailer>("alerts/mail").cast(note{0});
    w.sim.run();
  }
  [[nodiscard]] std::string text(text_options o = {}) const {
    o.memory = false;
    return "\n" + to_text(w.app->snapshot(20ms).value(), o);
  }
  world w;
};

}  // namespace

TEST_CASE("text: a tree, with what wants attention first") {
  const picture p;
  CHECK(p.text() == R"(
> alerts/mail has 12.0k waiting

PROCESS     STATE      MAILBOX  HANDLED  RATE/S  RESTARTS  HOST  TYPE
root        running          0        0       -         0     0  supervisor
├─ alerts   running          0        0       -         0     0  supervisor
│  ├─ mail  suspended    12.0k        0       -         0     0  mailer
│  └─ sms   running          0        0       -         0     0  mailer
├─ w2       running          0        3       -         0     0  mailer
└─ w10      running          0        0       -         0     0  mailer
)");
  CHECK(p.text({.rows = 1, .ascii = true}) == R"(
> alerts/mail has 12.0k waiting

PROCESS           STATE      MAILBOX  HANDLED  RATE/S  RESTARTS  HOST  TYPE
root              running          0        0       -         0     0  supervisor
|- alerts         running          0        0       -         0     0  supervisor
|  |- mail        suspended    12.0k        0       -         0     0  mailer
|  `- ... 1 more
`- ... 2 more
)");
}

TEST_CASE("text: siblings and lists by a figure, the largest first") {
  const picture p;
  CHECK(p.text({.tree = false, .order = text_options::order_t::mailbox, .rows = 2, .flooded = 0}) == R"(
PROCESS      STATE      MAILBOX  HANDLED  RATE/S  RESTARTS  HOST  TYPE
alerts/mail  suspended    12.0k        0       -         0     0  mailer
alerts       running          0        0       -         0     0  supervisor
... 4 more
)");
  CHECK(p.text({.order = text_options::order_t::handled, .rows = 1, .flooded = 0}) == R"(
PROCESS        STATE    MAILBOX  HANDLED  RATE/S  RESTARTS  HOST  TYPE
root           running        0        0       -         0     0  supervisor
├─ w2          running        0        3       -         0     0  mailer
└─ ... 2 more
)");
}

TEST_CASE("text: stuck, zombie, unanswered") {
  picture p;
  p.w.app->find<mailer>("w10").cast(note{500});
  p.w.sim.advance(200ms);
  CHECK(p.text({.rows = 0, .flooded = 0}) == R"(
! w10 is stuck in note for 200 ms; its host goes on without it

PROCESS        STATE    MAILBOX  HANDLED  RATE/S  RESTARTS  HOST  TYPE
root           running        0        0       -         0     0  supervisor
└─ ... 3 more
)");
  static_cast<void>(p.w.app->kill("w10"));
  p.w.sim.advance(10ms);
  CHECK(p.text({.rows = 0, .flooded = 0}).find("\n! w10 is a zombie: it was killed, and its handler runs on\n") == 0);
  p.w.app->stop();
  CHECK(p.text().find("! host 0 did not answer; 0 messages wait for it\n") != std::string::npos);
}

TEST_CASE("text: one process") {
  picture p;
  CHECK("\n" + to_text(p.w.app->inspect("alerts/mail").value()) == R"(
alerts/mail: suspended, incarnation 1, host 0
  type      mailer
  handled   0, dropped 0, restarts 0
  mailbox   12001: 1000 x job
  accepts   job, note
  has       0 timers, 0 calls, 0 monitors, 0 subscriptions; watched by 0
  says      server = mx1
            password = (hidden)
)");
  CHECK("\n" + to_text(p.w.app->inspect("alerts").value()) == R"(
alerts: running, incarnation 1, host 0
  type      supervisor of 2
  handled   0, dropped 0, restarts 0
  mailbox   0
  has       0 timers, 0 calls, 0 monitors, 0 subscriptions; watched by 0
)");
  p.w.app->find<mailer>("w10").cast(note{500});
  p.w.sim.advance(200ms);
  CHECK("\n" + to_text(p.w.app->inspect("w10").value()) == R"(
w10: stuck, incarnation 1, host 0
  type      mailer
  busy      in note for 200 ms; its host goes on without it
  handled   0, dropped 0, restarts 0
  mailbox   0
  accepts   job, note
  has       0 timers, 0 calls, 0 monitors, 0 subscriptions; watched by 0
)");
}
