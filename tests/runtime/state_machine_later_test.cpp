// Calls of a state machine that are answered later.

#include <herald/reply_to.hpp>
#include <herald/state_machine.hpp>

#include "support.hpp"

using namespace herald;
using namespace herald::test;
using namespace std::chrono_literals;

namespace {

struct closed {};
struct connecting {
  std::vector<reply_to<int>> waiting;
};
struct connected {
  int line = 0;
};

struct connect {
  using reply = int;
};
struct line_is {
  int number = 0;
};
struct hang_up {};
struct which_state {
  using reply = std::string;
};
struct postponed_badly {
  using reply = int;
};

/// Answers a connect at once, with the line that comes, or not at all.
struct phone : state_machine<phone, states<closed, connecting, connected>, connect, line_is, hang_up, which_state,
                             postponed_badly, boom> {
  phone() : state_machine{closed{}} {}
  transition on(const closed&, const connect&, reply_to<int> to) {
    connecting then;
    then.waiting.push_back(std::move(to));
    return next(std::move(then));
  }
  void on(context&, connecting& s, const connect&, reply_to<int> to) { s.waiting.push_back(std::move(to)); }
  int on(const connected& s, const connect&) { return s.line; }
  transition on(connecting& s, const line_is& m) {
    for (auto& to : s.waiting) to.reply(m.number);
    return next(connected{m.number});
  }
  transition on(const hang_up&) { return next(closed{}); }
  void on(const which_state&, reply_to<std::string> to) { to.reply(std::string{state_name()}); }
  transition on(const closed&, const postponed_badly&, reply_to<int>) { return postpone(); }
  int on(const connecting&, const postponed_badly&) { return 1; }
  int on(const connected&, const postponed_badly&) { return 2; }
  void on(const boom& m) { throw std::runtime_error{m.text}; }
  using ignores = rules<in<closed, line_is>, in<connected, line_is>>;
};

struct client : process<client, note> {
  struct args {
    journal* log = nullptr;
  };
  client(context& self, args a) : self_{self}, log_{a.log} {}
  void on(const note& m) {
    self_.call(self_.find<phone>("phone"), connect{}, 1s, [this, n = m.number](const result<int>& r) {
      log_->write(std::to_string(n) + ":" + (r ? std::to_string(*r) : std::string{r.error().name()}));
    });
  }

 private:
  context& self_;
  journal* log_;
};

struct exchange : world {
  explicit exchange(std::uint64_t seed = 1) : world{seed} {
    start({.name = "top", .intensity = {100, 1s}, .children = {
      child<phone>("phone"), child<client>("near", {&log}), child<client>("far", {&log}, {.placement = spread})}});
  }
  [[nodiscard]] ref<phone> it() const { return app->find<phone>("phone"); }
  void connect_from(const char* who, int n) {
    app->find<client>(who).cast(note{n});
    sim.run();
  }
  template <class M>
  void tell_it(M m) {
    it().cast(std::move(m));
    sim.run();
  }
};

}  // namespace

TEST_CASE("a state machine answers calls later, from another state and handler, and others at once") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    exchange w{seed};
    w.connect_from("near", 1);
    w.connect_from("far", 2);
    CHECK(w.log.size() == 0);
    CHECK(w.it().call(which_state{}).value().find("connecting") != std::string::npos);
    w.tell_it(line_is{9});
    auto lines = w.log.take();
    std::sort(lines.begin(), lines.end());
    CHECK(lines == std::vector<std::string>{"1:9", "2:9"});
    w.connect_from("near", 3);
    CHECK(w.log.take_text() == "3:9");
  }
}

TEST_CASE("a state that is left with unanswered calls in it lets them go: they end with unanswered") {
  exchange w;
  w.connect_from("near", 1);
  w.tell_it(hang_up{});
  CHECK(w.log.text() == "1:unanswered");
}

TEST_CASE("a state machine that ends owes its callers down") {
  exchange w;
  w.connect_from("near", 1);
  w.tell_it(boom{});
  CHECK(w.log.take_text() == "1:down");
  w.connect_from("far", 2);
  CHECK(w.app->root().terminate_child("phone"));
  w.sim.run();
  CHECK(w.log.text() == "2:down");
}

TEST_CASE("a call whose reply_to was taken cannot be postponed any more: a crash that says so") {
  exchange w;
  const auto r = w.it().call(postponed_badly{});
  REQUIRE_FALSE(r);
  CHECK(r.is(errc::down));
  CHECK(r.error().message().find("after it had taken its reply_to") != std::string::npos);
}

TEST_CASE("a cast of a call's message is handled, and its reply_to answers nobody") {
  exchange w;
  w.it().cast(connect{});
  any_ref{w.it()}.cast(connect{});
  w.sim.run();
  w.tell_it(line_is{4});
  CHECK(w.it().call(connect{}).value() == 4);
  CHECK(w.app->dead_letters() == 0);
}
