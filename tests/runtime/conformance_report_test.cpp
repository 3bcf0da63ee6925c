// Section I: what reports hold, and how they are rendered.

#include "support.hpp"

using namespace herald;
using namespace herald::test;
using namespace std::chrono_literals;

namespace {

const report* find(const world& w, report::kind_t kind, const std::string& path) {
  for (const auto& r : w.reports)
    if (r.kind == kind && r.path == path) return &r;
  return nullptr;
}

struct labelled : process<labelled, boom> {
  explicit labelled(context& self) { self.set_label("customer 7"); }
  void on(const boom&) { throw std::runtime_error{"boom"}; }
};

}  // namespace

TEST_CASE("I130: the label of a process is in its reports") {
  world w;
  w.start({.name = "root", .children = {child<labelled>("a")}});
  any_ref{w.app->find<labelled>("a")}.cast(boom{});
  w.sim.run();
  const auto* r = find(w, report::crashed, "a");
  REQUIRE(r != nullptr);
  CHECK(r->label == "customer 7");
  CHECK(r->to_string().find(" [customer 7]: crash: ") != std::string::npos);
}

TEST_CASE("I127: a supervisor's report holds its name, the context, the reason and the offender") {
  world w;
  w.start({.name = "root", .children = {supervisor{.name = "s", .intensity = {0, 5s},
                                                   .children = {w.worker("a", {.restart = transient, .shutdown = 300ms})}}}});
  w.crash("s/a");
  const auto* r = find(w, report::gave_up, "s");
  REQUIRE(r != nullptr);
  CHECK(r->supervisor == "s");
  CHECK(r->context == "reached_max_restart_intensity");
  CHECK(r->reason.kind() == exit_reason::shutdown);
  REQUIRE(r->offender);
  CHECK(r->offender->id == "a");
  CHECK(r->offender->path == "s/a");
  CHECK(r->offender->restart == "transient");
  CHECK(r->offender->shutdown == "300 ms");
  CHECK(r->offender->type == "worker");
  CHECK(r->to_string() ==
        "gave_up s#1: shutdown; supervisor s; context reached_max_restart_intensity; offender {id: a, path: s/a, restart: "
        "transient, shutdown: 300 ms, type: worker}: more than 0 restarts within 5000 ms, the last one for crash: "
        "std::runtime_error: boom; it stops its children and ends");
}

TEST_CASE("I127: a child that is killed at its limit is reported with its supervisor and its limit") {
  world w;
  w.start({.name = "root", .children = {w.worker("a", {.shutdown = 200ms}), w.worker("b", {.start_timeout = 150ms})}});
  w.how("a")->terminate_stall = 5s;
  CHECK(w.app->root().terminate_child("a"));
  const auto* stop = find(w, report::killed, "a");
  REQUIRE(stop != nullptr);
  CHECK(stop->to_string() == "killed a#1: killed; supervisor root; context shutdown_error; offender {id: a, path: a, restart: "
                             "permanent, shutdown: 200 ms, type: worker}: it did not end within its shutdown limit");
  w.how("b")->init_stall = 5s;
  w.crash("b");
  w.sim.advance(1s);
  const auto* start = find(w, report::killed, "b");
  REQUIRE(start != nullptr);
  CHECK(start->context == "start_error");
}

TEST_CASE("I127: a report fits one line whatever is in it, and its length can be limited") {
  report r;
  r.kind = report::crashed;
  r.path = "a\tb";
  r.reason = {exit_reason::crash, "first line\nsecond line\r\n\x1b[31mred"};
  const auto line = r.to_string();
  CHECK(line == "crashed a b: crash: first line second line   [31mred");
  CHECK(r.to_string(20) == "crashed a b: cras...");
  CHECK(r.to_string(0).size() == 16);
  CHECK(r.to_string(line.size()) == line);
  r.reason = {exit_reason::crash, std::string(100'000, 'x')};
  CHECK(r.to_string().size() == 4096);
  // Never within a character: each of these takes two bytes.
  r.path.clear();
  r.reason = {exit_reason::crash, "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"};
  CHECK(r.to_string(20) == "crashed: crash: ...");
  CHECK(r.to_string(21) == "crashed: crash: \xc3\xa4...");
  CHECK(r.to_string(22) == "crashed: crash: \xc3\xa4...");
}

TEST_CASE("I128: children of a dynamic supervisor that ended otherwise than asked are told of together, by number") {
  world w;
  w.start({.name = "root", .children = {dynamic<probe>("d", {.shutdown = 400ms})}});
  const auto d = w.app->find_supervisor("d");
  for (const auto* name : std::vector{"a", "b", "c", "fine"})
    REQUIRE(d.start_child<probe>({.name = name, .log = &w.log, .how = w.how(std::string{name} == "fine" ? "fine" : "bad")}));
  w.how("bad")->throws_in_terminate = true;
  CHECK(w.app->root().terminate_child("d"));
  std::vector<report> told;
  std::copy_if(w.reports.begin(), w.reports.end(), std::back_inserter(told), [](const report& r) { return r.kind == report::shutdown_error; });
  REQUIRE(told.size() == 3);  // each with another text: "terminate of a" ...
  for (const auto& r : told) {
    REQUIRE(r.offender);
    CHECK(r.offender->children == 1);
    CHECK(r.offender->path.empty());
  }
  // The same reason for many: one report.
  w.reports.clear();
  CHECK(w.app->root().restart_child("d"));
  for (int i = 0; i < 5; ++i) REQUIRE(w.app->find_supervisor("d").start_child<probe>({.name = "n", .log = &w.log, .how = w.how("bad")}));
  CHECK(w.app->root().terminate_child("d"));
  CHECK(w.told(report::shutdown_error) == 1);
  const auto* r = find(w, report::shutdown_error, "d");
  REQUIRE(r != nullptr);
  CHECK(r->to_string() == "shutdown_error d#2: crash: std::runtime_error: terminate of n; supervisor d; context shutdown_error; "
                          "offender {children: 5, restart: permanent, shutdown: 400 ms, type: worker}");
}

TEST_CASE("C41, J147: only unexpected reasons are reported when children are stopped") {
  world w;
  w.start({.name = "root", .children = {w.worker("a"), w.worker("b"), w.worker("c", {.shutdown = brutal_kill})}});
  w.how("b")->throws_in_terminate = true;
  w.app->stop();
  CHECK(w.told(report::shutdown_error) == 1);
  CHECK(w.told(report::shutdown_error, "b") == 1);
}

TEST_CASE("I129: no crash report for shutdown through any path, exactly one for a crash, with the last message's type") {
  world w;
  w.start({.name = "root", .strategy = one_for_all, .intensity = {100, 5s},
           .children = {w.worker("a"), w.worker("b", {.restart = transient}), dynamic<probe>("d", {.restart = temporary})}});
  const auto x = w.app->find_supervisor("d").start_child<probe>({.name = "x", .log = &w.log}).value();
  w.tell("b", end_with{exit_reason{exit_reason::shutdown, "done"}});
  w.tell("a", end_with{exit_reason::shutdown});
  x.cast(end_with{exit_reason::shutdown});
  CHECK(w.app->root().terminate_child("a"));
  CHECK(w.app->root().restart_child("a"));
  CHECK(w.told(report::crashed) == 0);
  CHECK(w.told(report::shutdown_error) == 0);
  w.crash("a");
  REQUIRE(w.told(report::crashed) == 1);
  const auto* r = find(w, report::crashed, "a");
  REQUIRE(r != nullptr);
  CHECK(r->message_type.find("boom") != std::string::npos);
  CHECK(r->to_string().find("; last message herald::test::boom") != std::string::npos);
  w.tell("a", end_with{exit_reason{exit_reason::custom, "own reason"}});
  CHECK(w.told(report::crashed) == 2);
  CHECK(w.reports.size() > 2);
  w.app->stop();
  CHECK(w.told(report::crashed) == 2);
}

namespace {

struct moody {};
struct silent {};
/// Hides a secret in what it says of itself.
struct teller : process<teller, boom, moody, silent> {
  explicit teller(context& self) : self_{self} {}
  void on(const boom& m) {
    ++balance_;
    throw std::runtime_error{m.text};
  }
  void on(const moody&) { self_.stop(); }
  void on(const silent&) { silent_ = true; }
  void describe(description& d) const {
    if (silent_) throw std::runtime_error{"no comment"};
    d.add("balance", balance_).add("token", secret(token_));
  }
  void terminate(const exit_reason&) { balance_ = -1; }

 private:
  context& self_;
  int balance_ = 0;
  bool silent_ = false;
  std::string token_ = "open sesame";
};

}  // namespace

TEST_CASE("M200, O229: a crash report holds what the process says of its state, its secrets hidden; the last message and reason") {
  world w;
  w.start({.name = "root", .children = {child<teller>("a", {.restart = transient})}});
  any_ref{w.app->find<teller>("a")}.cast(boom{});
  w.sim.run();
  const auto* r = find(w, report::crashed, "a");
  REQUIRE(r != nullptr);
  REQUIRE(r->state);
  CHECK(r->state->items() == std::vector<description::item>{{"balance", "1"}, {"token", "(hidden)"}});
  CHECK(r->to_string().find("; state {balance: 1, token: (hidden)}") != std::string::npos);
  CHECK(r->message_type.find("boom") != std::string::npos);
  CHECK(r->to_string().find("sesame") == std::string::npos);
}

TEST_CASE("O229: a describe that throws at a crash is told with it; an end by its own wish needs no words") {
  world w;
  w.start({.name = "root", .intensity = {100, 1s}, .children = {child<teller>("a")}});
  any_ref{w.app->find<teller>("a")}.cast(moody{});
  w.sim.run();
  for (const auto& r : w.reports) CHECK_FALSE(r.state);
  any_ref{w.app->find<teller>("a")}.cast(boom{"shy"});
  w.sim.run();
  const auto* r = find(w, report::crashed, "a");
  REQUIRE(r != nullptr);
  w.reports.clear();
  any_ref{w.app->find<teller>("a")}.cast(silent{});
  any_ref{w.app->find<teller>("a")}.cast(boom{});
  w.sim.run();
  r = find(w, report::crashed, "a");
  REQUIRE(r != nullptr);
  CHECK(r->to_string().find("; state {describe() threw: std::runtime_error: no comment}") != std::string::npos);
}

TEST_CASE("O229: a kill asks nobody for words") {
  world w;
  w.start({.name = "root", .children = {child<teller>("a")}});
  CHECK(w.app->kill("a"));
  w.sim.run();
  const auto* r = find(w, report::crashed, "a");
  REQUIRE(r != nullptr);
  CHECK_FALSE(r->state);
}
